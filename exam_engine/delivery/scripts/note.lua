-- Keep what seats noticed (focus lost, off line …). It decides nothing, so neither lease nor state is asked.
-- ARGV, for each: count, attempt, how many of them are lost focus, events as JSON. Reply for each: 1 kept, 0 unknown here.
local prefix = string.sub(KEYS[1], 1, -7)
local replies = {}
local at = 1
while at <= #ARGV do
  local attempt, focus, events = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local facts_key = prefix .. 'a:' .. attempt
  local reply = 0
  if redis.call('EXISTS', facts_key) == 1 then
    if focus ~= '0' then
      redis.call('HINCRBY', facts_key, 'focus_lost', focus)
    end
    redis.call('XADD', KEYS[1], '*', 'e', attempt, 'd', events)
    reply = 1
  end
  replies[#replies + 1] = reply
  at = at + tonumber(ARGV[at]) + 1
end
return replies
