"""The heartbeat's thread and the main thread's signs of life."""

from __future__ import annotations

import pytest

from worker.process.activity import Activity, DeviceState


class Clock:
    """A clock that tests move."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def activity(clock: Clock) -> Activity:
    return Activity(stall_s=10, clock=clock)


def test_silence_is_a_stall_and_a_tick_is_not(clock: Clock, activity: Activity):
    clock.now += 9
    assert activity.fault() is None
    activity.tick()
    clock.now += 9
    assert activity.fault() is None
    clock.now += 2
    assert activity.fault() == "stalled"


def test_an_announced_step_may_take_longer(clock: Clock, activity: Activity):
    activity.allow(60)
    clock.now += 59
    assert activity.fault() is None
    activity.tick()
    clock.now += 11
    assert activity.fault() == "stalled"


def test_a_job_over_its_time_is_overdue_though_it_ticks(clock: Clock, activity: Activity):
    activity.begin("job", attempt=1, limit_s=30)
    clock.now += 31
    activity.tick()
    assert activity.fault() == "overdue"
    activity.end()
    assert activity.fault() is None


def test_a_later_order_to_stop_only_shortens(clock: Clock, activity: Activity):
    assert not activity.must_stop
    activity.stop_within(8)
    activity.stop_within(20)
    clock.now += 7
    assert not activity.must_stop
    clock.now += 1
    assert activity.must_stop


def test_jobs_of_one_process_share_its_device(clock: Clock):
    device = DeviceState(clock)
    long, short = (Activity(stall_s=10, clock=clock, device=device) for _ in range(2))
    clock.now += 100
    long.begin("a", attempt=1, limit_s=60)
    clock.now += 4  # by itself
    short.begin("b", attempt=1, limit_s=60)
    clock.now += 6  # both
    assert short.share_s() == 3
    short.end()
    clock.now += 1
    assert long.share_s() == 4 + 3 + 1
    long.end()
    short.begin("c", attempt=1, limit_s=60)
    clock.now += 2
    assert short.share_s() == 2
