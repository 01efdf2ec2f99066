-- Save answers of attempts that are as the caller thinks. KEYS[1] is the shard's event stream; every other key has the
-- same hash tag, hence the same slot.
-- ARGV, for each save: count, attempt, gate, "<lease> <arrival> <mark>", then slot and "<sequence> <1 if answered>
-- <client ms> <json>" pairs. The mark is this save's alone; sequences have so many digits that texts compare as numbers.
-- Reply for each: 1 all of them are the newest now; {sequence …} the newest of each slot, where some were newer; the gate
-- as text, if it is another: nothing was saved; nothing: unknown here.
-- A command costs far more than a field of it, and a string that is made more than one that is passed on: one command
-- reads what the batch asks, two write what it changes, a third reads tallies where a slot's first answer came or one was
-- cleared.
local MOST_ARGUMENTS = 4000 -- `unpack` ends at 8000
local DIGITS, FLAG = 16, 18 -- of a packed answer: the last digit of its sequence, and whether it is answered

local ARGV, byte, call, sub = ARGV, string.byte, redis.call, string.sub
local answers_key = sub(KEYS[1], 1, -7) .. 'answers'

local lasts, names, n = {}, {}, 0 -- of each save its last argument, and its fields: gate, answers
local at = 1
while at <= #ARGV do
  local last, attempt = at + ARGV[at], ARGV[at + 1]
  n = n + 1
  names[n] = attempt
  for i = at + 4, last, 2 do
    n = n + 1
    names[n] = attempt .. ' ' .. ARGV[i]
  end
  lasts[#lasts + 1] = last
  at = last + 1
end

local held = {}

local function read(first, last)
  for from = first, last, MOST_ARGUMENTS do
    local to = math.min(from + MOST_ARGUMENTS - 1, last)
    local values = call('HMGET', answers_key, unpack(names, from, to))
    for i = from, to do
      held[i] = values[i - from + 1]
    end
  end
end

local fields, f, told, t -- what shall be written: fields and values, pieces of the entry
local entry, told_in = 0, {} -- which entry it will be, and which the last one is that tells of an attempt
local tallies, gained, opened, c -- tallies that change: by how many answers, and by which slots

local function begin()
  fields, f, told, t, entry = {answers_key}, 1, {}, 0, entry + 1
  tallies, gained, opened, c = {}, {}, {}, 0
end

local function count()
  for i, tally in ipairs(call('HMGET', answers_key, unpack(tallies))) do
    local answered, slots = string.match(tally, '^(%d+) (%S*)')
    fields[f + 1], fields[f + 2] = tallies[i], answered + gained[i] .. ' ' .. slots .. opened[i]
    f = f + 2
  end
end

local function write()
  if t > 0 then
    if c > 0 then
      count()
    end
    call('HSET', unpack(fields, 1, f))
    call('XADD', KEYS[1], '*', 's', table.concat(told, '', 2))
    begin()
  end
end

local function is_newer(packed, stored)
  return packed > stored
    and (byte(packed, DIGITS) ~= byte(stored, DIGITS) or sub(packed, 1, DIGITS) ~= sub(stored, 1, DIGITS))
end

local function newest(first, last, place)
  local sequences = {}
  for i = first + 4, last, 2 do
    place = place + 1
    local packed, stored = ARGV[i + 1], held[place]
    local one = stored and is_newer(stored, packed) and stored or packed
    sequences[#sequences + 1] = tonumber(sub(one, 1, DIGITS))
  end
  return sequences
end

local function save(first, last, place)
  local attempt, circumstances = ARGV[first + 1], ARGV[first + 3]
  local name, gain, slots, is_kept, are_newest = place, 0, '', false, true
  for i = first + 4, last, 2 do
    name = name + 1
    local packed, stored = ARGV[i + 1], held[name]
    if not stored or is_newer(packed, stored) then
      fields[f + 1], fields[f + 2] = names[name], packed
      f = f + 2
      if not is_kept then
        is_kept = true
        told[t + 1], told[t + 2], told[t + 3], told[t + 4] = '\n\n', attempt, ' ', circumstances
        t = t + 4
      end
      told[t + 1], told[t + 2], told[t + 3], told[t + 4] = '\n', ARGV[i], ' ', packed
      t = t + 4
      if stored then
        gain = gain + byte(packed, FLAG) - byte(stored, FLAG)
      else
        gain = gain + sub(packed, FLAG, FLAG)
        slots = slots .. ARGV[i] .. ','
      end
    else
      are_newest = false
    end
  end
  if is_kept then
    fields[f + 1], fields[f + 2] = attempt .. ' l', circumstances
    f = f + 2
    if gain ~= 0 or slots ~= '' then
      c = c + 1
      tallies[c], gained[c], opened[c] = attempt .. ' n', gain, slots
    end
  end
  return are_newest and 1 or newest(first, last, place)
end

read(1, n)
begin()
local replies = {}
local place, first = 1, 1
for s, last in ipairs(lasts) do
  local attempt = ARGV[first + 1]
  local after = place + 1 + (last - first - 3) / 2
  local before = told_in[attempt]
  if before == entry or f > MOST_ARGUMENTS then -- an entry tells of an attempt once
    write()
  end
  if before then -- what was read of it is outdated; of the others nothing is: a seat may ask for as much as it likes
    read(place, after - 1)
  end
  local gate = held[place]
  if gate == ARGV[first + 2] then
    told_in[attempt] = entry
    replies[s] = save(first, last, place)
  else
    replies[s] = gate
  end
  place, first = after, last + 1
end
write()
return replies
