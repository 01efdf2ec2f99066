-- Keep what seats noticed (focus lost, off line …). It decides nothing, so neither lease nor state is asked.
-- ARGV, for each: count, attempt, moment, how often each kind ("focus_lost=2 offline=1"), events as JSON.
-- Reply for each: 1 kept, 0 unknown here.
local prefix = string.sub(KEYS[1], 1, -7)
local replies = {}
local at = 1
while at <= #ARGV do
  local attempt, moment, kinds, events = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local facts_key = prefix .. 'a:' .. attempt
  local reply = 0
  if redis.call('EXISTS', facts_key) == 1 then
    for kind, times in string.gmatch(kinds, '([%l_]+)=(%d+)') do
      -- A seat may invent kinds; the counters beside the facts stay few.
      if redis.call('HEXISTS', facts_key, 'n:' .. kind) == 1 or redis.call('HLEN', facts_key) < 100 then
        redis.call('HINCRBY', facts_key, 'n:' .. kind, times)
        redis.call('HSET', facts_key, 'w:' .. kind, moment)
      end
    end
    redis.call('XADD', KEYS[1], '*', 'e', attempt, 'd', events)
    reply = 1
  end
  replies[#replies + 1] = reply
  at = at + tonumber(ARGV[at]) + 1
end
return replies
