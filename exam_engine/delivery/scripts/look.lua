-- Read attempts. ARGV, for each: count, attempt, how much: 'f' facts, 's' also "slot sequence" pairs, 'r' also whole answers.
-- Reply for each: {facts, last seen, pairs}; no facts: unknown here.
local prefix = string.sub(KEYS[1], 1, -7)
local replies = {}
local at = 1
while at <= #ARGV do
  local attempt, depth = ARGV[at + 1], ARGV[at + 2]
  local facts = redis.call('HGETALL', prefix .. 'a:' .. attempt)
  local seen = redis.call('HGET', prefix .. 'seen', attempt)
  local pairs_found = {}
  if depth ~= 'f' then
    pairs_found = redis.call('HGETALL', prefix .. 'r:' .. attempt)
    if depth == 's' then
      for i = 2, #pairs_found, 2 do
        pairs_found[i] = string.match(pairs_found[i], '^(%d+) ')
      end
    end
  end
  replies[#replies + 1] = {facts, seen, pairs_found}
  at = at + tonumber(ARGV[at]) + 1
end
return replies
