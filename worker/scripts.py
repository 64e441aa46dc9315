"""The Lua scripts that move job records: each compares and writes in one step, whoever else writes."""

from __future__ import annotations

# KEYS of all: the record, the index of all jobs (that of a state is beside it, `index.JobIndex`), the expiring ones.

_MOVE = """
local function move(id, old, new)
  local created = redis.call('ZSCORE', KEYS[2], id)
  if old == new or not created then return end
  redis.call('ZREM', KEYS[2] .. ':' .. old, id)
  redis.call('ZADD', KEYS[2] .. ':' .. new, created, id)
end
"""

# ARGV: attempt of the writer ("" for a move that needs none), new state ("" to keep it), allowed old states
# (comma-separated), job id, retention in seconds (0: keep), then field, value, ...
WRITE = (
    _MOVE
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if not state or not string.find(',' .. ARGV[3] .. ',', ',' .. state .. ',', 1, true) then return 0 end
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
for i = 6, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'state', ARGV[2])
  move(ARGV[4], state, ARGV[2])
end
if tonumber(ARGV[5]) > 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  redis.call('ZADD', KEYS[3], redis.call('TIME')[1] + ARGV[5], ARGV[4])
end
return 1
"""
)

# As above for the start of an attempt; returns its number, or 0 where the job can't run (any more).
# ARGV: job id, worker, now, most attempts.
START = (
    _MOVE
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return 0 end
local attempt = tonumber(redis.call('HGET', KEYS[1], 'attempt') or '0') + 1
if attempt > tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], 'state', 'running', 'attempt', attempt, 'worker', ARGV[2], 'started_at', ARGV[3])
redis.call('HDEL', KEYS[1], 'progress', 'partial_curve')
move(ARGV[1], state, 'running')
return attempt
"""
)

# ARGV: attempt to give back; the job stays running, its next attempt takes the same number.
GIVE_BACK = """
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[1], 'attempt', -1)
redis.call('HDEL', KEYS[1], 'progress', 'partial_curve', 'worker')
return 1
"""
