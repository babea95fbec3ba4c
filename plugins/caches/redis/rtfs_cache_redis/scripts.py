"""What the server does in one step each: Lua, run atomically by Redis and Valkey alike.

The keys of one layer share a hash tag, so that a cluster keeps them on one node:

- `state`: `life` (which life of the server's data this is), `run` (of which process of the server), `version` (counts
  invalidations), `floor` and `gone` (see below), `tick` (counts uses and puts), `lease` (the longest that any node has
  announced, milliseconds);
- `used`: slots by the tick of their last use: how many records there are, and which makes room;
- `due`: slots by when they expire (seconds since the epoch, by the clocks of the nodes);
- `gone`: slots by the version that took them out last, at most `TOMBSTONES`; what was forgotten of it raised `floor`;
- `r:<slot>`: one record, a hash of `stamp`, `stored`, `expires` and `blob`. Without its line in `used` it counts for
  nothing, so a line that the server drops for want of room is a miss, and the bound holds.

A server without memory refuses a script whose *first* write needs some. So reads are served all the same (they only
note no use), what must be written begins with a write that needs none (nothing lies at `r:` itself), and puts are
refused.
"""

from __future__ import annotations

TOMBSTONES = 4096
LARGEST = 16 << 20
"""Bytes of a sealed record: no node puts a larger one, and of one that somebody planted nothing is sent."""
_SHORT = 128
"""Bytes of anything else that is told: times, stamps, the name of a life."""

KEYS = ("state", "used", "due", "gone")

_NAMES = "local S, U, D, G, R = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1]\n"

HELLO = (
    _NAMES
    + """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
local life = redis.call('HGET', S, 'life')
if life and #life <= 128 and redis.call('HGET', S, 'run') == run then return life end
for _, slot in ipairs(redis.call('ZRANGE', U, 0, -1)) do redis.call('UNLINK', R .. slot) end
local lease = redis.call('HGET', S, 'lease') or '0'
redis.call('UNLINK', S, U, D, G)
local time = redis.call('TIME')
life = run .. ':' .. time[1] .. '.' .. time[2]
redis.call('HSET', S, 'life', life, 'run', run, 'version', 0, 'floor', 0, 'gone', 0, 'tick', 0, 'lease', lease)
return life
"""
)
"""Run on every new connection: what a server that began anew has kept may be older than what was acknowledged."""

_HEAD = (
    f"local SHORT, LARGEST = {_SHORT}, {LARGEST}\n"
    + _NAMES
    + """
local life = redis.call('HGET', S, 'life')
if not life or #life > SHORT then return redis.error_reply('NOLIFE the state of this layer is gone') end
local version = tonumber(redis.call('HGET', S, 'version'))
local function row(slot)
  local at, fields = R .. slot, {'stamp', 'stored', 'expires', 'blob'}
  for i, field in ipairs(fields) do
    local size = redis.pcall('HSTRLEN', at, field)
    if type(size) ~= 'number' or size > (i < 4 and SHORT or LARGEST) then return nil end
  end
  return redis.call('HMGET', at, unpack(fields))
end
local function drop(slot)
  redis.call('ZREM', U, slot)
  redis.call('ZREM', D, slot)
  redis.call('UNLINK', R .. slot)
end
local function stale(slot, now)
  local due = redis.call('ZSCORE', D, slot)
  return due and tonumber(due) <= now
end
"""
)

GET = (
    _HEAD
    + """
local slot, now, lease, known = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
if not redis.call('ZSCORE', U, slot) then return {life, version, 'none'} end
if stale(slot, now) then drop(slot) return {life, version, 'stale'} end
local row = row(slot)
if not row then drop(slot) return {life, version, 'bad'} end
if not (row[1] and row[2] and row[3] and row[4]) then drop(slot) return {life, version, 'lost'} end
if lease > tonumber(redis.call('HGET', S, 'lease')) then
  redis.call('UNLINK', R)
  redis.call('HSET', S, 'lease', lease)
end
local tick = redis.pcall('HINCRBY', S, 'tick', 1)
if type(tick) == 'number' then redis.pcall('ZADD', U, tick, slot) end
if known == life .. ' ' .. row[1] then return {life, version, 'same'} end
return {life, version, 'row', row[1], row[2], row[3], row[4]}
"""
)

PUT = (
    _HEAD
    + """
local slot, now, due, px, room = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], tonumber(ARGV[6])
if ARGV[7] ~= '' then
  local seen, gone = tonumber(ARGV[8]), redis.call('ZSCORE', G, slot)
  local forgot = redis.call('ZCARD', G) ~= tonumber(redis.call('HGET', S, 'gone')) and version > seen
  local floor = tonumber(redis.call('HGET', S, 'floor'))
  if ARGV[7] ~= life or forgot or floor > seen or (gone and tonumber(gone) > seen) then
    return {life, version, 'refused', 0, 0}
  end
end
if ARGV[11] == '' then drop(slot) return {life, version, 'large', 0, 1} end
local expired, evicted = 0, 0
if not redis.call('ZSCORE', U, slot) then
  local size = redis.call('ZCARD', U)
  if size >= room then
    for _, old in ipairs(redis.call('ZRANGEBYSCORE', D, '-inf', now, 'LIMIT', 0, 1000)) do
      drop(old)
      expired = expired + 1
    end
    size = redis.call('ZCARD', U)
  end
  while size >= room do
    drop(redis.call('ZRANGE', U, 0, 0)[1])
    evicted, size = evicted + 1, size - 1
  end
end
local stamp = redis.call('HINCRBY', S, 'tick', 1)
if redis.call('TYPE', R .. slot).ok ~= 'hash' then redis.call('UNLINK', R .. slot) end
redis.call('HSET', R .. slot, 'stamp', stamp, 'stored', ARGV[9], 'expires', ARGV[10], 'blob', ARGV[11])
if px == '' then redis.call('PERSIST', R .. slot) else redis.call('PEXPIRE', R .. slot, px) end
redis.call('ZADD', U, stamp, slot)
if due == '' then redis.call('ZREM', D, slot) else redis.call('ZADD', D, due, slot) end
return {life, version, 'kept', expired, evicted}
"""
)

INVALIDATE = (
    _HEAD
    + f"""
redis.call('UNLINK', R)
version = redis.call('HINCRBY', S, 'version', 1)
local there = {{}}
for i = 3, #ARGV do
  local slot = ARGV[i]
  local how = 0
  if redis.call('ZSCORE', U, slot) then
    how = stale(slot, tonumber(ARGV[2])) and 2 or redis.call('EXISTS', R .. slot)
  end
  there[#there + 1] = how
  drop(slot)
  redis.call('ZADD', G, version, slot)
end
local extra = redis.call('ZCARD', G) - {TOMBSTONES}
if extra > 0 then
  local out = redis.call('ZPOPMIN', G, extra)
  redis.call('HSET', S, 'floor', math.max(tonumber(redis.call('HGET', S, 'floor')), tonumber(out[#out])))
end
redis.call('HSET', S, 'gone', redis.call('ZCARD', G))
return {{life, version, redis.call('HGET', S, 'lease'), there}}
"""
)

CLEAR = (
    _HEAD
    + """
redis.call('UNLINK', R)
version = redis.call('HINCRBY', S, 'version', 1)
local slots = redis.call('ZRANGE', U, 0, -1)
for _, slot in ipairs(slots) do redis.call('UNLINK', R .. slot) end
redis.call('UNLINK', U, D, G)
redis.call('HSET', S, 'floor', version, 'gone', 0)
return {life, version, redis.call('HGET', S, 'lease'), #slots}
"""
)

PEEK = (
    _HEAD
    + """
local rows, size = {}, 0
for i = 3, #ARGV do
  local found = {}
  if redis.call('ZSCORE', U, ARGV[i]) and not stale(ARGV[i], tonumber(ARGV[2])) then found = row(ARGV[i]) or {} end
  rows[#rows + 1] = (found[1] and found[2] and found[3] and found[4]) and found or {}
  size = size + #(found[4] or '')
  if size > LARGEST then break end
end
return rows
"""
)
"""The first of some records, as many as are sent at once: at least one."""

SLOTS = (
    _HEAD
    + """
local page = redis.call('ZSCAN', U, ARGV[2], 'COUNT', ARGV[3])
local slots = {}
for i = 1, #page[2], 2 do if #page[2][i] == 64 then slots[#slots + 1] = page[2][i] end end
return {page[1], slots}
"""
)
"""One page of a scan: what is no slot is not told."""

DROP = (
    _HEAD
    + """
if redis.pcall('HGET', R .. ARGV[2], 'stamp') == ARGV[3] then drop(ARGV[2]) return 1 end
return 0
"""
)
"""Take out a record that does not open, unless another has taken its place."""

CLAIM = "return redis.call('SET', ARGV[1] .. 'claim:' .. ARGV[2], ARGV[3], 'NX', 'PX', ARGV[4]) and 1 or 0"

RELEASE = """
local key = ARGV[1] .. 'claim:' .. ARGV[2]
if redis.call('GET', key) == ARGV[3] then return redis.call('DEL', key) end
return 0
"""

ALL = {
    "get": GET,
    "put": PUT,
    "invalidate": INVALIDATE,
    "clear": CLEAR,
    "peek": PEEK,
    "slots": SLOTS,
    "drop": DROP,
    "claim": CLAIM,
    "release": RELEASE,
}
