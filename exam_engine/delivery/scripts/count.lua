-- Let a refused answer count after all: two people decided, so neither lease nor time is asked again. What was handed in
-- meanwhile stays as its receipt says.
-- ARGV, for each: count, attempt, lease, arrival, slot, "<sequence> <client ms> <1 if answered> <json>".
-- Reply for each: 1 counts (also if it does already: the reply was lost), 0 unknown here, -1 something newer is held or it was handed in, -2 the sitting is sealed.
local prefix = string.sub(KEYS[1], 1, -7)
local is_sealed = redis.call('EXISTS', prefix .. 'sealed') == 1
local replies = {}
local at = 1
while at <= #ARGV do
  local attempt, lease, arrival, slot, packed = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local facts_key, responses_key = prefix .. 'a:' .. attempt, prefix .. 'r:' .. attempt
  local reply = 0
  if is_sealed then
    reply = -2
  elseif redis.call('EXISTS', facts_key) == 1 then
    local sequence, flag = string.match(packed, '^(%d+) %d+ (%d) ')
    local stored = redis.call('HGET', responses_key, slot)
    local stored_sequence, stored_flag
    if stored then
      stored_sequence, stored_flag = string.match(stored, '^(%d+) %d+ (%d) ')
    end
    local is_newer = not stored or tonumber(stored_sequence) < tonumber(sequence)
    if stored == packed then
      reply = 1
    elseif not is_newer or redis.call('HGET', facts_key, 'state') == 'submitted' then
      reply = -1
    else
      redis.call('HSET', responses_key, slot, packed)
      redis.call('HINCRBY', facts_key, 'saves', 1)
      redis.call('HINCRBY', facts_key, 'answered', tonumber(flag) - tonumber(stored_flag or '0'))
      redis.call('XADD', KEYS[1], '*', 's', attempt .. ' ' .. lease .. ' ' .. arrival, slot, packed)
      reply = 1
    end
  end
  replies[#replies + 1] = reply
  at = at + tonumber(ARGV[at]) + 1
end
return replies
