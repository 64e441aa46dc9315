"""Lua scripts that write job records: each compares and writes in one atomic step."""

from __future__ import annotations

from .events import GONE_S, MOST_EVENTS

SPARE = 10  # one part in so many of Redis's memory is for all but the jobs' results: connections, the events of those
# that run (megabytes, after minutes), what is written of finished ones

# KEYS of all: the record, the job's events, the index of all jobs (those of a state, an owner, a task and a priority
# are beside it, `index.JobIndex`), the expiring ones, the base of the batches' keys, the webhooks that are due, the
# lease of the attempt that runs it, the room that is reserved (`room.Room`).

_GIVE_BACK = """
local function give_back(reserved, id) -- once: the second time there is none
  local bytes = redis.call('HGET', reserved, id)
  if not bytes then return 0 end
  redis.call('HDEL', reserved, id)
  if redis.call('HLEN', reserved) == 1 then redis.call('DEL', reserved) -- but for the total
  else redis.call('HINCRBY', reserved, 'total', -bytes) end
  return 1
end
"""

_INDEX = (
    _GIVE_BACK
    + """
local function lists()
  local owner, task = unpack(redis.call('HMGET', KEYS[1], 'owner', 'task'))
  local found = owner and {KEYS[3], KEYS[3] .. ':of:' .. owner} or {KEYS[3]}
  for i = 1, task and #found or 0 do table.insert(found, found[i] .. ':task:' .. task) end
  return found
end

local function waiting()
  return KEYS[3] .. ':queued:' .. (redis.call('HGET', KEYS[1], 'priority') or 'normal')
end

local function move(id, old, new)
  local created = redis.call('ZSCORE', KEYS[3], id)
  if old == new or not created then return end
  for _, list in ipairs(lists()) do
    redis.call('ZREM', list .. ':' .. old, id)
    redis.call('ZADD', list .. ':' .. new, created, id)
  end
  if old == 'queued' then redis.call('ZREM', waiting(), id) end
end

local function expire_batch(seconds)
  local batch = redis.call('HGET', KEYS[1], 'batch')
  if batch then redis.call('EXPIRE', KEYS[5] .. ':' .. batch, math.max(seconds, 3600)) end
end

local function keep_batch()
  local batch = redis.call('HGET', KEYS[1], 'batch')
  if batch then redis.call('PERSIST', KEYS[5] .. ':' .. batch) end
end

local function expiring(id)
  local owner = redis.call('HGET', KEYS[1], 'owner')
  return owner and id .. ' ' .. owner or id
end

local function keep_last(events) -- in its own size: written, a stream takes room for many more at once
  local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  if not last then return end
  redis.call('DEL', events)
  redis.call('XADD', events, last[1], unpack(last[2]))
  redis.call('RESTORE', events, 0, redis.call('DUMP', events), 'REPLACE')
end

local function settle(id, seconds)
  give_back(KEYS[8], id)
  local now = redis.call('TIME')[1]
  keep_last(KEYS[2])
  for key = 1, 2 do redis.call('EXPIRE', KEYS[key], seconds) end
  redis.call('ZADD', KEYS[4], now + seconds, expiring(id))
  expire_batch(seconds)
  if redis.call('HEXISTS', KEYS[1], 'webhook') == 1 then redis.call('ZADD', KEYS[6], now, id) end
end
"""
)

_TELL = f"""
local function tell(kind, data)
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', {MOST_EVENTS}, '*', 'kind', kind, 'data', data)
end
"""

_FREE = f"""
local function free(reserved) -- bytes neither used nor reserved, and the most there can be; nothing without a limit
  local memory = redis.call('INFO', 'memory')
  local most = tonumber(string.match(memory, 'maxmemory:(%d+)') or 0)
  if most == 0 then return end
  most = most - math.floor(most / {SPARE})
  local used = string.match(memory, 'used_memory:(%d+)')
  return most - used - (redis.call('HGET', reserved, 'total') or 0), most
end
"""

# ARGV: job id, its creation (microseconds), state, owner ("" for none), most jobs of that owner that may wait ("" for
# any number), retention in seconds (0: keep), bytes to reserve, then field, value, ... Returns 0 where too many wait,
# -1 where Redis has no room for it.
CREATE = (
    _INDEX
    + _TELL
    + _FREE
    + """
local left = free(KEYS[8])
if left and left < tonumber(ARGV[7]) then return -1 end
local queued = KEYS[3] .. (ARGV[4] ~= '' and ':of:' .. ARGV[4] or '') .. ':queued'
if ARGV[5] ~= '' and redis.call('ZCARD', queued) >= tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 8))
for _, list in ipairs(lists()) do
  redis.call('ZADD', list, ARGV[2], ARGV[1])
  redis.call('ZADD', list .. ':' .. ARGV[3], ARGV[2], ARGV[1])
end
if ARGV[3] == 'queued' then redis.call('ZADD', waiting(), ARGV[2], ARGV[1]) end
if tonumber(ARGV[7]) > 0 then
  redis.call('HSET', KEYS[8], ARGV[1], ARGV[7])
  redis.call('HINCRBY', KEYS[8], 'total', ARGV[7])
end
tell('state', ARGV[3])
if tonumber(ARGV[6]) > 0 then settle(ARGV[1], ARGV[6]) else keep_batch() end
return 1
"""
)

# ARGV: attempt of the writer ("" for a move that needs none), new state ("" to keep it), allowed old states
# (comma-separated), job id, retention in seconds (0: keep), an event's kind and data, then field, value, ... Of a job
# that won't change any more, its last event tells everything.
WRITE = (
    _INDEX
    + _TELL
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if not state or not string.find(',' .. ARGV[3] .. ',', ',' .. state .. ',', 1, true) then return 0 end
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then redis.call('DEL', KEYS[7]) end -- first: after a removal, a full Redis lets a script write
for i = 8, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'state', ARGV[2])
  move(ARGV[4], state, ARGV[2])
end
tell(ARGV[6], ARGV[7])
if tonumber(ARGV[5]) > 0 then settle(ARGV[4], ARGV[5]) end
return 1
"""
)

# As above for the start of an attempt; returns its number, 0 where the job can't run (any more), or -1 where an attempt
# that is alive runs it. ARGV: job id, worker, now, most attempts, milliseconds of the lease (0: none).
START = (
    _INDEX
    + _TELL
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return 0 end
if redis.call('EXISTS', KEYS[7]) == 1 then return -1 end
local attempt = tonumber(redis.call('HGET', KEYS[1], 'attempt') or '0') + 1
if attempt > tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], 'state', 'running', 'attempt', attempt, 'worker', ARGV[2], 'started_at', ARGV[3])
if tonumber(ARGV[5]) > 0 then redis.call('SET', KEYS[7], attempt, 'PX', ARGV[5]) end
redis.call('HDEL', KEYS[1], 'progress', 'partial_curve')
move(ARGV[1], state, 'running')
tell('state', 'running')
return attempt
"""
)

# ARGV: attempt that is alive, milliseconds of its lease. Returns 0 where it isn't the running one any more.
RENEW = """
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[7], ARGV[1], 'PX', ARGV[2])
return 1
"""

# Of a record from before jobs were listed by their task. ARGV: job id, its task. Returns 0 where it is gone.
LIST_BY_TASK = (
    _INDEX
    + """
local state, created = redis.call('HGET', KEYS[1], 'state'), redis.call('ZSCORE', KEYS[3], ARGV[1])
if not state or not created then return 0 end
redis.call('HSETNX', KEYS[1], 'task', ARGV[2])
for _, list in ipairs(lists()) do
  redis.call('ZADD', list, created, ARGV[1])
  redis.call('ZADD', list .. ':' .. state, created, ARGV[1])
end
if state == 'queued' then redis.call('ZADD', waiting(), created, ARGV[1]) end
return 1
"""
)

# ARGV: job id, then the two priorities: that which most jobs have, and the other. Returns the record, the job's rank
# among those of its priority that wait (-1: it doesn't), and how many of the other one wait.
LOOK = """
local record = redis.call('HGETALL', KEYS[1])
if redis.call('HGET', KEYS[1], 'state') ~= 'queued' then return {record, -1, 0} end
local own, other = redis.call('HGET', KEYS[1], 'priority') or ARGV[2], ARGV[3]
if own == ARGV[3] then other = ARGV[2] end
local rank = redis.call('ZRANK', KEYS[3] .. ':queued:' .. own, ARGV[1])
return {record, rank or -1, redis.call('ZCARD', KEYS[3] .. ':queued:' .. other)}
"""

# ARGV: attempt to give back; the job stays running, its next attempt takes the same number.
GIVE_BACK = (
    _TELL
    + """
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[7])
redis.call('HINCRBY', KEYS[1], 'attempt', -1)
redis.call('HDEL', KEYS[1], 'progress', 'partial_curve', 'worker')
tell('state', 'running')
return 1
"""
)

# ARGV: job id, retention in seconds. Returns 0 where there is no such job. What tells those who watch the job goes by
# itself soon.
DELETE = (
    _INDEX
    + f"""
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 0 end
redis.call('ZREM', KEYS[4], expiring(ARGV[1]))
redis.call('ZREM', KEYS[6], ARGV[1])
redis.call('ZREM', waiting(), ARGV[1])
for _, list in ipairs(lists()) do
  redis.call('ZREM', list, ARGV[1])
  redis.call('ZREM', list .. ':' .. state, ARGV[1])
end
expire_batch(ARGV[2])
give_back(KEYS[8], ARGV[1])
redis.call('DEL', KEYS[1], KEYS[7])
redis.call('XADD', KEYS[2], '*', 'kind', 'deleted', 'data', '')
redis.call('XTRIM', KEYS[2], 'MAXLEN', 1)
redis.call('EXPIRE', KEYS[2], {GONE_S})
return 1
"""
)

# KEYS: the room that is reserved. Returns the bytes neither used nor reserved and the most there can be, or nothing
# where Redis has no limit.
LOOK_FOR_ROOM = _FREE + "return {free(KEYS[1])}"

# Of a job whose end an older version wrote. KEYS: the record, the room that is reserved. ARGV: job id. Returns 0 where
# it hasn't ended, or holds no room.
GIVE_BACK_ROOM = (
    _GIVE_BACK
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'queued' or state == 'running' then return 0 end
return give_back(KEYS[2], ARGV[1])
"""
)
