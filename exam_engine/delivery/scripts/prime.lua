-- Take attempts over from PostgreSQL, unless they are here already: what Redis holds is never older than its projection.
-- ARGV, for each: count, attempt, limit while running (else ''), last sign of life (0: none), gate, tally, last save,
-- number of fact arguments, facts, then slot and packed answers.
-- Reply for each: 1 taken over, 0 was here.
local prefix = string.sub(KEYS[1], 1, -7)
local answers_key = prefix .. 'answers'
local replies = {}
local at = 1
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  local attempt, limit, alive, facts = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 7])
  local facts_key = prefix .. 'a:' .. attempt
  local reply = 0
  local is_here = redis.call('EXISTS', facts_key) == 1 and redis.call('HEXISTS', answers_key, attempt .. ' n') == 1
  if not is_here then -- half an attempt is none
    redis.call('HSET', facts_key, unpack(ARGV, at + 8, at + 7 + facts))
    local fields = {attempt, ARGV[at + 4], attempt .. ' n', ARGV[at + 5], attempt .. ' l', ARGV[at + 6]}
    for i = at + 8 + facts, last, 2 do
      fields[#fields + 1] = attempt .. ' ' .. ARGV[i]
      fields[#fields + 1] = ARGV[i + 1]
    end
    redis.call('HSET', answers_key, unpack(fields))
    -- Without it a seat that lives would look silent since its start; what a worker told since is newer.
    if alive ~= '0' then
      redis.call('HSETNX', prefix .. 'seen', attempt, alive)
    end
    if limit ~= '' then
      redis.call('ZADD', prefix .. 'due', limit, attempt)
    end
    reply = 1
  end
  replies[#replies + 1] = reply
  at = last + 1
end
return replies
