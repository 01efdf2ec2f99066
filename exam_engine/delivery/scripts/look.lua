-- Read attempts. ARGV, for each: count, attempt, how much: 'f' facts, 's' also "slot sequence" pairs, 'r' also whole answers.
-- Reply for each: {facts, last seen, tally, pairs}; no facts: unknown here.
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

local replies = {}
local at = 1
while at <= #ARGV do
  local attempt, depth = ARGV[at + 1], ARGV[at + 2]
  local facts = redis.call('HGETALL', prefix .. 'a:' .. attempt)
  local seen = redis.call('HGET', prefix .. 'seen', attempt)
  local tally = redis.call('HGET', answers_key, attempt .. ' n')
  replies[#replies + 1] = {facts, seen, tally, tally and depth ~= 'f' and answers_of(attempt, tally, depth) or {}}
  at = at + tonumber(ARGV[at]) + 1
end
return replies
