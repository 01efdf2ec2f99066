-- Apply changes that delivery.model computed, each only to the revision it was computed from.
-- ARGV, for each: count, attempt, expected revision, limit while running (else ''), change as JSON, then field and value pairs.
-- "<revision> <saves>" expects that no answer has come since, either.
-- Reply for each: 1 applied, -1 facts or answers have changed meanwhile, -2 the sitting is sealed, 0 unknown here.
local prefix = string.sub(KEYS[1], 1, -7)
local is_sealed = redis.call('EXISTS', prefix .. 'sealed') == 1
local replies = {}
local at = 1
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  local attempt, expected, limit, change = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local facts_key = prefix .. 'a:' .. attempt
  local held = redis.call('HMGET', facts_key, 'revision', 'saves')
  local revision, saves = string.match(expected, '^(%d+) ?(%d*)$')
  local reply
  if not held[1] then
    reply = 0
  elseif is_sealed then
    reply = -2
  elseif held[1] ~= revision or (saves ~= '' and (held[2] or '0') ~= saves) then
    reply = -1
  else
    redis.call('HSET', facts_key, unpack(ARGV, at + 5, last))
    if limit == '' then
      redis.call('ZREM', prefix .. 'due', attempt)
    else
      redis.call('ZADD', prefix .. 'due', limit, attempt)
    end
    redis.call('XADD', KEYS[1], '*', 'c', attempt, 'f', change)
    -- What other workers remember of this attempt is outdated; they read on from the last count they know.
    redis.call('ZADD', prefix .. 'changed', redis.call('INCR', prefix .. 'changes'), attempt)
    reply = 1
  end
  replies[#replies + 1] = reply
  at = last + 1
end
return replies
