-- Save answers. KEYS[1] is the shard's event stream; every other key has the same hash tag, hence the same slot.
-- ARGV, for each save: count, attempt, lease, arrival, then slot and "<sequence> <client ms> <1 if answered> <json>" pairs.
-- Reply for each: {1, deadline, 1 while the clock stands, stored sequence …} or a refusal, by the comparisons of
-- model.require_writable, in its order: {0} unknown here, {2} not started, {3, state, reason} closed, {4, lease} lease taken,
-- {6} locked, {5, deadline} time over. What is refused after the start and is newer than what is held stays as evidence
-- in the stream, at most MOST_LATE entries an attempt; the same answer refused alike once more is no second piece of it
-- (hash `l:<attempt>`), so that a call whose reply was lost may be repeated.
local MOST_LATE = 200

local function keep_late(prefix, attempt, circumstances, first, last)
  local responses_key, kept_key = prefix .. 'r:' .. attempt, prefix .. 'l:' .. attempt
  local event, kept = {KEYS[1], '*', 'l', attempt .. ' ' .. circumstances}, {}
  local refusal = string.match(circumstances, '%d+$')
  for i = first, last, 2 do
    local stored = redis.call('HGET', responses_key, ARGV[i])
    local newer = tonumber(string.match(ARGV[i + 1], '^(%d+) '))
    local mark = refusal .. redis.sha1hex(ARGV[i + 1])
    local is_newer = not stored or newer > tonumber(string.match(stored, '^(%d+) '))
    if is_newer and redis.call('HGET', kept_key, ARGV[i]) ~= mark then
      event[#event + 1] = ARGV[i]
      event[#event + 1] = ARGV[i + 1]
      kept[#kept + 1] = ARGV[i]
      kept[#kept + 1] = mark
    end
  end
  if #event > 4 and redis.call('HINCRBY', prefix .. 'a:' .. attempt, 'late', 1) <= MOST_LATE then
    redis.call('XADD', unpack(event))
    redis.call('HSET', kept_key, unpack(kept))
  end
end

local prefix = string.sub(KEYS[1], 1, -7)
local replies = {}
local at = 1
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  local attempt, lease, arrival = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local facts_key = prefix .. 'a:' .. attempt
  local facts = redis.call('HMGET', facts_key, 'state', 'lease', 'deadline_ms', 'limit_ms', 'reason', 'answered', 'paused_ms', 'is_locked', 'saves')
  local state = facts[1]
  local reply
  if not state then
    reply = {0}
  elseif state == 'ready' then
    reply = {2}
  elseif state ~= 'running' then
    reply = {3, state, facts[5]}
  elseif facts[2] ~= lease then
    reply = {4, tonumber(facts[2])}
  elseif facts[8] == '1' then
    reply = {6}
  elseif (facts[7] or '0') == '0' and tonumber(arrival) > tonumber(facts[4]) then
    reply = {5, tonumber(facts[3])}
  else
    local responses_key = prefix .. 'r:' .. attempt
    local answered = tonumber(facts[6] or '0')
    local event
    reply = {1, tonumber(facts[3]), (facts[7] or '0') == '0' and 0 or 1}
    for i = at + 4, last, 2 do
      local slot, packed = ARGV[i], ARGV[i + 1]
      local sequence, flag = string.match(packed, '^(%d+) %d+ (%d) ')
      local stored = redis.call('HGET', responses_key, slot)
      local stored_sequence, stored_flag
      if stored then
        stored_sequence, stored_flag = string.match(stored, '^(%d+) %d+ (%d) ')
      end
      if stored and tonumber(stored_sequence) >= tonumber(sequence) then
        reply[#reply + 1] = tonumber(stored_sequence)
      else
        redis.call('HSET', responses_key, slot, packed)
        answered = answered + tonumber(flag) - tonumber(stored_flag or '0')
        event = event or {KEYS[1], '*', 's', attempt .. ' ' .. lease .. ' ' .. arrival}
        event[#event + 1] = slot
        event[#event + 1] = packed
        reply[#reply + 1] = tonumber(sequence)
      end
    end
    if event then
      redis.call('HSET', facts_key, 'saved_ms', arrival, 'answered', answered, 'saves', tonumber(facts[9] or '0') + 1)
      redis.call('XADD', unpack(event))
    end
  end
  if reply[1] > 2 then
    keep_late(prefix, attempt, lease .. ' ' .. arrival .. ' ' .. reply[1], at + 4, last)
  end
  replies[#replies + 1] = reply
  at = last + 1
end
return replies
