-- Keep refused answers as evidence in the stream, if they are newer than what is held: of an attempt at most MOST_LATE
-- times, and MOST_BYTES, which is five papers of the greatest length.
-- The same answer refused alike once more is no second piece of it (hash `l:<attempt>`), so that a call whose reply was
-- lost may be repeated.
-- ARGV, for each: count, attempt, "<lease> <arrival> <refusal>", then slot and "<sequence> <1 if answered> <client ms>
-- <json>" pairs. Reply for each: how many were kept; nothing: unknown here.
local MOST_LATE, MOST_BYTES = 200, 4 * 1024 * 1024
local prefix = string.sub(KEYS[1], 1, -7)
local answers_key = prefix .. 'answers'
local replies = {}
local at = 1
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  local attempt, circumstances = ARGV[at + 1], ARGV[at + 2]
  local kept_key = prefix .. 'l:' .. attempt
  local refusal = string.match(circumstances, '%S+$')
  local event, kept, bytes = {KEYS[1], '*', 'l', attempt .. ' ' .. circumstances}, {}, 0
  for i = at + 3, last, 2 do
    local slot, packed = ARGV[i], ARGV[i + 1]
    local held = redis.call('HGET', answers_key, attempt .. ' ' .. slot)
    local mark = refusal .. redis.sha1hex(packed)
    local is_newer = not held or tonumber(string.match(packed, '^%d+')) > tonumber(string.match(held, '^%d+'))
    if is_newer and redis.call('HGET', kept_key, slot) ~= mark then
      event[#event + 1], event[#event + 2] = slot, packed
      kept[#kept + 1], kept[#kept + 2] = slot, mark
      bytes = bytes + #packed
    end
  end
  local reply = 0
  if redis.call('HEXISTS', answers_key, attempt .. ' n') == 0 then
    reply = false
  elseif
    #kept > 0
    and redis.call('HINCRBY', prefix .. 'a:' .. attempt, 'late', 1) <= MOST_LATE
    and redis.call('HINCRBY', prefix .. 'a:' .. attempt, 'late_bytes', bytes) <= MOST_BYTES
  then
    redis.call('XADD', unpack(event))
    redis.call('HSET', kept_key, unpack(kept))
    local seconds = redis.call('TTL', answers_key)
    if seconds > 0 then -- the sitting is stored, and all of it goes
      redis.call('EXPIRE', kept_key, seconds)
    end
    reply = #kept / 2
  end
  replies[#replies + 1] = reply
  at = last + 1
end
return replies
