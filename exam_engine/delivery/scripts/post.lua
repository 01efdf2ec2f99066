-- Post a notice to the seats of a shard, once for each request id, under a number greater than every earlier one.
-- ARGV: request id, least number, notice as JSON, '1' if this shard's stream shall carry it to PostgreSQL. Reply: its number.
local prefix = string.sub(KEYS[1], 1, -7)
local request, number, notice, is_kept = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local known = redis.call('HGET', prefix .. 'notice-of', request)
if known then
  return tonumber(known)
end
local newest = redis.call('ZRANGE', prefix .. 'notices', -1, -1, 'WITHSCORES')
if newest[2] and tonumber(newest[2]) >= number then
  number = tonumber(newest[2]) + 1
end
local text = string.format('%.0f', number)
redis.call('ZADD', prefix .. 'notices', text, text .. ' ' .. notice)
redis.call('HSET', prefix .. 'notice-of', request, text)
if is_kept == '1' then
  redis.call('XADD', KEYS[1], '*', 'n', text, 'd', notice)
end
return number
