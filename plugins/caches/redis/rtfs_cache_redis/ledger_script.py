"""What the server does for a ledger, in one step each: one script, whose fifth argument says what is wanted.

Five keys with one hash tag: `state` (hash: `life`, `serial`, and how many lines the next two have), `accounts` (hash:
account to "nano tokens calls touched renews"), `held` (hash: reservation to "nano tokens calls until begun said-nano
said-tokens said-calls typical account ..."), `about` (hash: reservation to JSON about whose it is), `typical` (hash).

Counts must never go back. Every caller says which life and which serial number it saw last: a server that was restored
from an older copy, emptied, or that evicted a key refuses with LOST, so nothing is spent of a count that is too low.
Numbers are whole and below 2^53, which Lua's doubles hold exactly; sums end at `ROOM`.
"""

from __future__ import annotations

ROOM = 9 * 10**15
"""The most that an account counts: nine million dollars. A limit above it counts as this."""

KEYS = ("state", "accounts", "held", "about", "typical")

SCRIPT = """
local S, A, H, B, T = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local life, seen, fresh, now, want = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local ROOM, OLD = 9e15, 62 * 86400

local here = redis.call('HGET', S, 'life')
if not here then
  if life ~= '' or redis.call('EXISTS', A, H) > 0 then return redis.error_reply('LOST what was counted is gone') end
  redis.call('HSET', S, 'life', fresh, 'serial', 0, 'accounts', 0, 'held', 0)
  here = fresh
end
local state = redis.call('HMGET', S, 'serial', 'accounts', 'held')
local serial = tonumber(state[1])
if (life ~= '' and (life ~= here or serial < seen)) or redis.call('HLEN', A) ~= tonumber(state[2])
    or redis.call('HLEN', H) ~= tonumber(state[3]) then
  return redis.error_reply('LOST what was counted is older than what was acknowledged')
end

local function whole(number) return string.format('%.0f', number) end
local function words(text)
  local found = {}
  for word in string.gmatch(text, '%S+') do found[#found + 1] = word end
  return found
end
local function account(name)
  local text = redis.call('HGET', A, name)
  return text and words(text) or {'0', '0', '0', '0', '-'}
end
local function add(name, nano, tokens, calls, renews)
  local row = account(name)
  for i, more in ipairs({nano, tokens, calls}) do
    row[i] = whole(math.max(0, math.min(ROOM, tonumber(row[i]) + more)))
  end
  row[4] = string.format('%.3f', math.max(tonumber(row[4]), now))
  row[5] = renews or row[5]
  redis.call('HSET', A, name, table.concat(row, ' '))
end
local function held(id)
  local text = redis.call('HGET', H, id)
  return text and words(text)
end
local function counts(row)
  local at = row[6] == '-' and 1 or 6
  return tonumber(row[at]), tonumber(row[at + 1]), tonumber(row[at + 2])
end
local function count(row, nano, tokens, calls)
  local n, t, c = counts(row)
  for i = 10, #row do add(row[i], nano - n, tokens - t, calls - c) end
end
local function finish(id, row, nano, tokens, calls)
  count(row, nano, tokens, calls)
  redis.call('HDEL', H, id)
  redis.call('HDEL', B, id)
end
local function done(...)
  redis.call('HSET', S, 'serial', whole(serial + 1), 'accounts', redis.call('HLEN', A), 'held', redis.call('HLEN', H))
  return {here, whole(serial + 1), ...}
end

if want == 'reserve' or want == 'look' or want == 'standings' then
  local all = redis.call('HGETALL', H)
  for i = 1, #all, 2 do
    local row = words(all[i + 1])
    if row[5] == '0' and tonumber(row[4]) < now then finish(all[i], row, 0, 0, 0) end
  end
end

if want == 'reserve' then
  local bound = {tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])}
  local row = {ARGV[6], ARGV[7], ARGV[8], ARGV[9], '0', '-', '-', '-', ARGV[10]}
  for i = 12, #ARGV, 5 do
    local counted = account(ARGV[i])
    for kind = 1, 3 do
      local limit = tonumber(ARGV[i + 1 + kind])
      if limit and bound[kind] > 0 and tonumber(counted[kind]) + bound[kind] > limit then
        return done('lacking', (i - 12) / 5, kind - 1, counted[kind])
      end
    end
    row[#row + 1] = ARGV[i]
  end
  local id = whole(redis.call('HINCRBY', S, 'last', 1))
  for i = 12, #ARGV, 5 do add(ARGV[i], bound[1], bound[2], bound[3], ARGV[i + 1]) end
  redis.call('HSET', H, id, table.concat(row, ' '))
  redis.call('HSET', B, id, ARGV[11])
  if redis.call('HLEN', A) > 4096 and tonumber(id) % 512 == 0 then
    local used = {}
    for _, text in ipairs(redis.call('HVALS', H)) do
      for i, name in ipairs(words(text)) do if i > 9 then used[name] = true end end
    end
    local all = redis.call('HGETALL', A)
    for i = 1, #all, 2 do
      local each = words(all[i + 1])
      local over = each[5] ~= '-' and tonumber(each[5]) < now - OLD
      local ended = each[5] == '-' and string.sub(all[i], -1) ~= '|'
      if tonumber(each[4]) < now - OLD and (over or ended) and not used[all[i]] then redis.call('HDEL', A, all[i]) end
    end
  end
  return done('reserved', id)
end

if want == 'look' or want == 'peek' then
  return done(redis.call('HGETALL', A), redis.call('HGETALL', H), redis.call('HGETALL', B))
end
if want == 'standings' then
  local rows = {}
  for i = 6, #ARGV do rows[#rows + 1] = table.concat(account(ARGV[i]), ' ') end
  return done(rows, redis.call('HVALS', H))
end
if want == 'typical' then return done(redis.call('HGET', T, ARGV[6]) or '') end

local id = ARGV[6]
local row = held(id)
if not row then return done('none') end
if want == 'begin' then
  if row[5] ~= '0' or tonumber(row[4]) < now then return done('none') end
  row[4], row[5] = ARGV[7], '1'
  redis.call('HSET', H, id, table.concat(row, ' '))
  return done('begun')
end
if want == 'say' then
  local said = {tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])}
  for i = 1, 3 do if said[i] > tonumber(row[i]) then return done('more') end end
  count(row, said[1], said[2], said[3])
  row[6], row[7], row[8] = ARGV[7], ARGV[8], ARGV[9]
  redis.call('HSET', H, id, table.concat(row, ' '))
  return done('said', table.concat(row, ' '), redis.call('HGET', B, id) or '{}')
end
if ARGV[10] ~= '' then
  local known = redis.call('HGET', T, row[9])
  local old = known and words(known) or {'0', '0', '0', '0', '0'}
  local given, got = tonumber(ARGV[10]), tonumber(ARGV[11])
  redis.call('HSET', T, row[9], table.concat({
    whole(math.min(ROOM, tonumber(old[1]) + 1)),
    whole(math.min(ROOM, tonumber(old[2]) + given)), whole(math.min(ROOM, tonumber(old[3]) + got)),
    whole(math.max(tonumber(old[4]), given)), whole(math.max(tonumber(old[5]), got)),
  }, ' '))
end
local took = ARGV[7] == '' and {row[1], row[2], row[3]} or {ARGV[7], ARGV[8], ARGV[9]}
finish(id, row, tonumber(took[1]), tonumber(took[2]), tonumber(took[3]))
return done('ended')
"""
