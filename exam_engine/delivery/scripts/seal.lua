-- Seal a shard whose sitting closes, if nobody there is waited for: an act that has read before and writes after changes
-- nothing, though its transaction has long lost the lock on the sitting. ARGV: '1' seal, else open again.
-- Reply: 1 done, 0 somebody is waited for.
local KEPT_SECONDS = 7 * 24 * 3600
local prefix = string.sub(KEYS[1], 1, -7)
if ARGV[1] ~= '1' then
  redis.call('DEL', prefix .. 'sealed')
  return 1
end
if redis.call('ZCARD', prefix .. 'due') > 0 then
  return 0
end
redis.call('SET', prefix .. 'sealed', '1', 'EX', KEPT_SECONDS)
return 1
