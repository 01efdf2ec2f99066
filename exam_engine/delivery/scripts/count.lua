-- Let a refused answer count after all: two people decided, so neither lease nor time is asked again. What was handed in
-- meanwhile stays as its receipt says.
-- ARGV, for each: count, "<attempt> <lease> <arrival>", slot, "<sequence> <1 if answered> <client ms> <json>".
-- Reply for each: 1 counts (also if it does already: the reply was lost), 0 unknown here, -1 something newer is held or it was handed in, -2 the sitting is sealed.
local prefix = string.sub(KEYS[1], 1, -7)
local answers_key = prefix .. 'answers'
local is_sealed = redis.call('EXISTS', prefix .. 'sealed') == 1
local replies = {}
local at = 1
while at <= #ARGV do
  local attempt = string.match(ARGV[at + 1], '^%S+')
  local slot, packed = ARGV[at + 2], ARGV[at + 3]
  local name, tally_name, last_name = attempt .. ' ' .. slot, attempt .. ' n', attempt .. ' l'
  local held = redis.call('HMGET', answers_key, tally_name, last_name, name)
  local reply = 0
  if is_sealed then
    reply = -2
  elseif held[1] and held[2] then
    local sequence, flag = string.match(packed, '^(%d+) (%d)')
    local answered, slots = string.match(held[1], '^(%d+) (%S*)')
    local stored = held[3]
    local stored_sequence, stored_flag
    if stored then
      stored_sequence, stored_flag = string.match(stored, '^(%d+) (%d)')
    else
      slots = slots .. slot .. ','
    end
    local is_newer = not stored or tonumber(stored_sequence) < tonumber(sequence)
    if stored == packed then
      reply = 1
    elseif not is_newer or redis.call('HGET', prefix .. 'a:' .. attempt, 'state') == 'submitted' then
      reply = -1
    else
      answered = answered + flag - (stored_flag or 0)
      -- The seat saved nothing just now; but the text may not stay the same when an answer has changed.
      local last = string.match(held[2], '^%d+ %d+') .. ' ' .. slot .. ' ' .. sequence
      redis.call('HSET', answers_key, name, packed, tally_name, answered .. ' ' .. slots, last_name, last)
      redis.call('XADD', KEYS[1], '*', 's', ARGV[at + 1] .. '\n' .. slot .. ' ' .. packed)
      reply = 1
    end
  end
  replies[#replies + 1] = reply
  at = at + tonumber(ARGV[at]) + 1
end
return replies
