-- Read attempts. ARGV, for each: count, attempt, how much: 'f' facts, 's' also "slot sequence" pairs, 'r' also whole answers.
-- Reply for each: {facts, last seen, tally, last save, pairs}; no facts: unknown here. Half an attempt is none.
local prefix = string.sub(KEYS[1], 1, -7)
local answers_key = prefix .. 'answers'

local function answers_of(attempt, tally, depth)
  local slots, names = {}, {}
  for slot in string.gmatch(tally, '(%d+),') do
    slots[#slots + 1] = slot
    names[#names + 1] = attempt .. ' ' .. slot
  end
  local found, flat = {}, {}
  if names[1] then
    found = redis.call('HMGET', answers_key, unpack(names))
  end
  for i, slot in ipairs(slots) do
    flat[2 * i - 1] = slot
    flat[2 * i] = depth == 's' and string.match(found[i], '^(%d+) ') or found[i]
  end
  return flat
end

local attempts, depths, names = {}, {}, {}
local at = 1
while at <= #ARGV do
  attempts[#attempts + 1], depths[#depths + 1] = ARGV[at + 1], ARGV[at + 2]
  names[#names + 1] = ARGV[at + 1] .. ' n'
  names[#names + 1] = ARGV[at + 1] .. ' l'
  at = at + tonumber(ARGV[at]) + 1
end
local seen = redis.call('HMGET', prefix .. 'seen', unpack(attempts))
local held = redis.call('HMGET', answers_key, unpack(names))
local replies = {}
for i, attempt in ipairs(attempts) do
  local tally, last = held[2 * i - 1], held[2 * i]
  if tally then
    local facts = redis.call('HGETALL', prefix .. 'a:' .. attempt)
    replies[i] = {facts, seen[i], tally, last, depths[i] ~= 'f' and answers_of(attempt, tally, depths[i]) or {}}
  else
    replies[i] = {{}, false, false, false, {}}
  end
end
return replies
