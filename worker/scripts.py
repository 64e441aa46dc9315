"""The Lua scripts that move job records: each compares and writes in one step, whoever else writes."""

from __future__ import annotations

from .events import MOST_EVENTS

# KEYS of all: the record, the job's events, the index of all jobs (that of a state is beside it, `index.JobIndex`), the
# expiring ones.

_MOVE = """
local function move(id, old, new)
  local created = redis.call('ZSCORE', KEYS[3], id)
  if old == new or not created then return end
  redis.call('ZREM', KEYS[3] .. ':' .. old, id)
  redis.call('ZADD', KEYS[3] .. ':' .. new, created, id)
end
"""

_TELL = f"""
local function tell(kind, data)
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', {MOST_EVENTS}, '*', 'kind', kind, 'data', data)
end
"""

# ARGV: attempt of the writer ("" for a move that needs none), new state ("" to keep it), allowed old states
# (comma-separated), job id, retention in seconds (0: keep), an event's kind and data, then field, value, ... Of a job
# that won't change any more, its last event tells everything.
WRITE = (
    _MOVE
    + _TELL
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if not state or not string.find(',' .. ARGV[3] .. ',', ',' .. state .. ',', 1, true) then return 0 end
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
for i = 8, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'state', ARGV[2])
  move(ARGV[4], state, ARGV[2])
end
tell(ARGV[6], ARGV[7])
if tonumber(ARGV[5]) > 0 then
  redis.call('XTRIM', KEYS[2], 'MAXLEN', 1)
  for key = 1, 2 do redis.call('EXPIRE', KEYS[key], ARGV[5]) end
  redis.call('ZADD', KEYS[4], redis.call('TIME')[1] + ARGV[5], ARGV[4])
end
return 1
"""
)

# As above for the start of an attempt; returns its number, or 0 where the job can't run (any more).
# ARGV: job id, worker, now, most attempts.
START = (
    _MOVE
    + _TELL
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return 0 end
local attempt = tonumber(redis.call('HGET', KEYS[1], 'attempt') or '0') + 1
if attempt > tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], 'state', 'running', 'attempt', attempt, 'worker', ARGV[2], 'started_at', ARGV[3])
redis.call('HDEL', KEYS[1], 'progress', 'partial_curve')
move(ARGV[1], state, 'running')
tell('state', 'running')
return attempt
"""
)

# ARGV: attempt to give back; the job stays running, its next attempt takes the same number.
GIVE_BACK = (
    _TELL
    + """
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[1], 'attempt', -1)
redis.call('HDEL', KEYS[1], 'progress', 'partial_curve', 'worker')
tell('state', 'running')
return 1
"""
)
