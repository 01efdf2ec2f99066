-- Keep what seats noticed (focus lost, off line …). It decides nothing, so neither lease nor state is asked.
-- ARGV, for each: count, attempt, request, 1 if the server tells it, moment, how often each kind ("focus_lost=2 offline=1"),
-- events as JSON.
-- Reply for each: 1 kept, 0 unknown here. A request that comes again (its reply was lost) counts nothing twice.
local REMEMBERED = 8 * 13 -- requests of an attempt, of twelve characters and a blank each
-- What one seat tells in all; beyond it is counted and no longer written down. The server's own notes have as much again.
local MOST_BYTES = 256 * 1024
local prefix = string.sub(KEYS[1], 1, -7)
local replies = {}
local at = 1
while at <= #ARGV do
  local attempt, request, is_servers = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3] == '1'
  local moment, kinds, events = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6]
  local facts_key = prefix .. 'a:' .. attempt
  local reply = 0
  if redis.call('EXISTS', facts_key) == 1 then
    local known = redis.call('HGET', facts_key, 'noted') or ''
    if not string.find(known, request, 1, true) then
      redis.call('HSET', facts_key, 'noted', string.sub(request .. ' ' .. known, 1, REMEMBERED))
      for kind, times in string.gmatch(kinds, '([%l_]+)=(%d+)') do
        redis.call('HINCRBY', facts_key, 'n:' .. kind, times)
        redis.call('HSET', facts_key, 'w:' .. kind, moment)
      end
      local bytes = redis.call('HINCRBY', facts_key, 'note_bytes', #events)
      if bytes <= MOST_BYTES or (is_servers and bytes <= 2 * MOST_BYTES) then
        redis.call('XADD', KEYS[1], '*', 'e', attempt, 'd', events)
      end
    end
    reply = 1
  end
  replies[#replies + 1] = reply
  at = at + tonumber(ARGV[at]) + 1
end
return replies
