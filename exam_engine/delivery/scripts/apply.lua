-- Apply changes that delivery.model computed, each only to the revision it was computed from.
-- ARGV, for each: count, attempt, expected revision, expected last save (empty: any; else no answer has come since, either),
-- limit while running (else ''), change as JSON, gate, then field and value pairs of the facts.
-- Reply for each: 1 applied, -1 facts or answers have changed meanwhile, -2 the sitting is sealed, 0 unknown here.
local prefix = string.sub(KEYS[1], 1, -7)
local answers_key = prefix .. 'answers'
local is_sealed = redis.call('EXISTS', prefix .. 'sealed') == 1
local replies = {}
local at = 1
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  local attempt, revision, last_save, limit = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local change, gate = ARGV[at + 5], ARGV[at + 6]
  local facts_key = prefix .. 'a:' .. attempt
  local held = redis.call('HGET', facts_key, 'revision')
  local held_save = redis.call('HGET', answers_key, attempt .. ' l')
  local reply
  if not (held and held_save) then
    reply = 0
  elseif is_sealed then
    reply = -2
  elseif held ~= revision or (last_save ~= '' and held_save ~= last_save) then
    reply = -1
  else
    redis.call('HSET', facts_key, unpack(ARGV, at + 7, last))
    redis.call('HSET', answers_key, attempt, gate)
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
