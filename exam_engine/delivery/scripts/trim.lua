-- Remove from the stream what its group has acknowledged, and nothing else. Reply: entries removed.
-- Arguments: milliseconds for which even that is kept.
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
local least
for _, group in ipairs(groups) do
  local fields = {}
  for i = 1, #group, 2 do
    fields[group[i]] = group[i + 1]
  end
  local bound
  if fields['pending'] > 0 then
    bound = redis.call('XPENDING', KEYS[1], fields['name'])[2]
  else
    local ms, count = string.match(fields['last-delivered-id'], '^(%d+)%-(%d+)$')
    bound = ms .. '-' .. string.format('%.0f', tonumber(count) + 1)
  end
  -- One group reads these streams. A second one would need the lesser bound; until then refuse to guess.
  if least then
    return 0
  end
  least = bound
end
if not least then
  return 0
end
local kept = tonumber(ARGV[1] or '0')
if kept > 0 then
  local time = redis.call('TIME')
  local oldest = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) - kept
  if oldest < tonumber(string.match(least, '^(%d+)')) then
    least = string.format('%.0f-0', oldest)
  end
end
return redis.call('XTRIM', KEYS[1], 'MINID', least)
