-- Save answers. KEYS[1] is the shard's event stream; every other key has the same hash tag, hence the same slot.
-- ARGV, for each save: count, attempt, lease, arrival, then slot and "<sequence> <client ms> <1 if answered> <json>" pairs.
-- Reply for each: {1, deadline, stored sequence …} or a refusal, by the comparisons of model.require_writable, in its order:
-- {0} unknown here, {2} not started, {3, state, reason} closed, {4, lease} lease taken, {5, deadline} time over.
local prefix = string.sub(KEYS[1], 1, -7)
local replies = {}
local at = 1
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  local attempt, lease, arrival = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local facts_key = prefix .. 'a:' .. attempt
  local facts = redis.call('HMGET', facts_key, 'state', 'lease', 'deadline_ms', 'limit_ms', 'reason', 'answered')
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
  elseif tonumber(arrival) > tonumber(facts[4]) then
    reply = {5, tonumber(facts[3])}
  else
    local responses_key = prefix .. 'r:' .. attempt
    local answered = tonumber(facts[6] or '0')
    local event
    reply = {1, tonumber(facts[3])}
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
      redis.call('HSET', facts_key, 'saved_ms', arrival, 'answered', answered)
      redis.call('XADD', unpack(event))
    end
  end
  replies[#replies + 1] = reply
  at = last + 1
end
return replies
