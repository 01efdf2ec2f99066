-- Save answers of attempts that are as the caller thinks. KEYS[1] is the shard's event stream; every other key has the
-- same hash tag, hence the same slot.
-- ARGV, for each save: count, attempt, gate, "<lease> <arrival>", then slot and "<sequence> <1 if answered> <client ms>
-- <json>" pairs.
-- Reply for each: 1 all of them are the newest now; {sequence …} the newest of each slot, where some were newer; the gate
-- as text, if it is another: nothing was saved; nothing: unknown here.
-- A command costs far more than a field of it: one reads all that the batch asks, two write all that it changes.
local MOST_ARGUMENTS = 4000 -- `unpack` ends at 8000

local answers_key = string.sub(KEYS[1], 1, -7) .. 'answers'
local match, call = string.match, redis.call

local lasts, names, n = {}, {}, 0 -- of each save its last argument, and its fields: gate, tally, answers
local at = 1
while at <= #ARGV do
  local last = at + ARGV[at]
  local attempt = ARGV[at + 1]
  names[n + 1] = attempt
  names[n + 2] = attempt .. ' n'
  n = n + 2
  for i = at + 4, last, 2 do
    n = n + 1
    names[n] = attempt .. ' ' .. ARGV[i]
  end
  lasts[#lasts + 1] = last
  at = last + 1
end

local function read(first, last)
  local held = {}
  for from = first, last, MOST_ARGUMENTS do
    local to = math.min(from + MOST_ARGUMENTS - 1, last)
    for i, value in ipairs(call('HMGET', answers_key, unpack(names, from, to))) do
      held[from + i - 1] = value
    end
  end
  return held
end

local held = read(1, n)
local fields, f, told, t, is_told

local function begin()
  fields, f, told, t, is_told = {answers_key}, 1, {}, 0, {}
end

local function write()
  if t > 0 then
    call('HSET', unpack(fields, 1, f))
    call('XADD', KEYS[1], '*', 's', table.concat(told, '\n\n'))
    begin()
  end
end

local function newest(first, last, place)
  local sequences = {}
  for i = first + 4, last, 2 do
    local sequence = tonumber(match(ARGV[i + 1], '^%d+'))
    local stored = held[place + 2 + #sequences]
    sequences[#sequences + 1] = math.max(sequence, stored and tonumber(match(stored, '^%d+')) or sequence)
  end
  return sequences
end

local function save(first, last, place)
  local circumstances = ARGV[first + 3]
  local answered, slots = match(held[place + 1], '^(%d+) (%S*)')
  local lines, newest_slot, newest_sequence, are_newest = '', nil, nil, true
  local name = place + 2
  for i = first + 4, last, 2 do
    local slot, packed, stored = ARGV[i], ARGV[i + 1], held[name]
    local sequence, flag = match(packed, '^(%d+) (%d)')
    local held_sequence, held_flag = -1, '0'
    if stored then
      held_sequence, held_flag = match(stored, '^(%d+) (%d)')
    else
      slots = slots .. slot .. ','
    end
    if tonumber(sequence) > tonumber(held_sequence) then
      fields[f + 1], fields[f + 2] = names[name], packed
      f = f + 2
      if flag ~= held_flag then
        answered = answered + flag - held_flag
      end
      lines = lines .. '\n' .. slot .. ' ' .. packed
      newest_slot, newest_sequence = slot, sequence
    else
      are_newest = false
    end
    name = name + 1
  end
  if newest_slot then
    fields[f + 1] = names[place + 1]
    fields[f + 2] = answered .. ' ' .. slots .. ' ' .. circumstances .. ' ' .. newest_slot .. ' ' .. newest_sequence
    f, t = f + 2, t + 1
    told[t] = ARGV[first + 1] .. ' ' .. circumstances .. lines
  end
  return are_newest and 1 or newest(first, last, place)
end

begin()
local replies = {}
local place, first = 1, 1
for s, last in ipairs(lasts) do
  local attempt = ARGV[first + 1]
  if is_told[attempt] or f > MOST_ARGUMENTS then -- an entry tells of an attempt once
    write()
    held = read(place, n)
  end
  if not held[place + 1] then
    replies[s] = false
  elseif held[place] == ARGV[first + 2] then
    is_told[attempt] = true
    replies[s] = save(first, last, place)
  else
    replies[s] = held[place]
  end
  place, first = place + 2 + (last - first - 3) / 2, last + 1
end
write()
return replies
