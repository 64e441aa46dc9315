"""The progress hook at each iteration, with a clock that the tests move."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from redis import Redis
from torch import Tensor

from ep_core.schemas.pixels import PixelBox, PixelSize
from ep_core.schemas.progress import Standing
from ep_core.schemas.reports.common import Scores, TargetRef
from ep_core.schemas.reports.extremal import PartialPoint
from ep_core.schemas.reports.subject import Subject
from tests.pictures import decode
from worker.broker.contract import JobRecord, JobState, MapPreview, Previews
from worker.broker.events import event_key
from worker.broker.queue import connect
from worker.broker.store import JobStore
from worker.process.activity import Activity
from worker.process.interrupts import NotOurs, OutOfTime, ShuttingDown
from worker.process.progress import EARLY_S, EARLY_SHOW_S, LOOK_S, SHOW_S, WRITE_S, ProgressHook
from worker.process.runtime import Runtime
from worker.settings import WorkerSettings

LIMIT_S = 50
SUBJECT = Subject(
    target=TargetRef(index=963, label="pizza"),
    scores=Scores(original=14.0, perturbed=2.0, threshold=14.0, original_probability=0.9),
    image=PixelSize(width=640, height=480),
    frame=PixelBox(left=80, top=0, right=560, bottom=480),
    resolution=PixelSize(width=224, height=224),
)


@dataclass
class Clock:
    """Seconds."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Step:
    """A progress that counts how often its costly part is computed."""

    iteration: int = 1
    total: int = 100
    stepping_since: float | None = None
    asked: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    standing: Standing = field(default_factory=Standing)

    def subject(self) -> Subject | None:
        return self.standing.subjects[0] if self.standing.subjects else None

    def previews(self) -> dict[float, Tensor]:
        self.shown.append(self.iteration)
        return {0.1: torch.linspace(0, 1, 224 * 448).view(224, 448)}

    def partial_curve(self) -> list[PartialPoint]:
        self.asked.append(self.iteration)
        return [PartialPoint(area=0.1, measured_area=0.2, score=float(self.iteration))]


@dataclass
class Setting:
    """A started job, its hook and what they work with."""

    job_id: str
    clock: Clock
    activity: Activity
    hook: ProgressHook


def make_setting(store: JobStore, job_id: str, attempt: int) -> Setting:
    clock = Clock()
    activity = Activity(stall_s=10, clock=clock)
    runtime = Runtime(
        "w",
        WorkerSettings(),
        store,
        blobs=None,
        models=None,
        activity=activity,
        stats=None,
        results=None,
        is_offered=bool,
    )
    return Setting(job_id, clock, activity, ProgressHook(runtime, job_id, attempt=attempt, limit_s=LIMIT_S))


@pytest.fixture
def setting(store: JobStore, make_record: Callable[..., JobRecord]) -> Setting:
    record = make_record()
    store.create(record)
    return make_setting(store, record.id, store.start(record.id, worker="w"))


def run(setting: Setting, *, steps: int) -> Step:
    """Step twenty times a second; returns the last step, which has the counts."""
    step = Step(total=1000)
    for step.iteration in range(1, steps + 1):
        setting.hook(step)
        setting.clock.now += 0.05
    return step


def test_the_first_step_is_written_and_later_ones_at_most_twice_a_second(store: JobStore, setting: Setting):
    step = run(setting, steps=30)
    assert len(step.asked) == 3
    assert step.asked[0] == 1
    assert store.get(setting.job_id).progress.iteration == step.asked[-1]


def previews_of(redis: Redis, setting: Setting) -> list[dict[str, Any]]:
    events = [fields for _, fields in redis.xrange(event_key(setting.job_id))]
    return [json.loads(fields[b"data"]) for fields in events if fields[b"kind"] == b"preview"]


def test_masks_are_shown_every_second_and_later_every_other_as_small_pictures(redis: Redis, setting: Setting):
    step = run(setting, steps=320)
    gaps = np.diff(step.shown) * 0.05
    late = np.asarray(step.shown[:-1]) * 0.05 > EARLY_S
    assert EARLY_SHOW_S <= gaps[~late].min() < gaps[~late].max() < EARLY_SHOW_S + 2 * WRITE_S
    assert SHOW_S <= gaps[late].min() < SHOW_S + 2 * WRITE_S
    told = previews_of(redis, setting)
    assert len(told) == len(step.shown)
    [preview] = told[-1]["masks"]
    assert preview["area"] == 0.1
    picture = decode(preview["mask"])
    assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (64, 32))
    pixels = np.asarray(picture) / 255
    assert pixels[0].mean() < 0.05 < 0.95 < pixels[-1].mean()


def test_a_new_stage_is_told_at_once_with_what_is_explained_and_the_maps_so_far(
    store: JobStore, redis: Redis, setting: Setting
):
    found = torch.linspace(-1, 1, 224).expand(224, 224)
    setting.hook(Step(0, standing=Standing("gradient", (SUBJECT,))))
    setting.clock.now += 0.01
    setting.hook(Step(2, standing=Standing("gradient", (SUBJECT,))))
    assert store.get(setting.job_id).progress.iteration == 0  # nothing new, too soon
    setting.hook(Step(3, standing=Standing("rise", (SUBJECT,), {"gradient": found})))
    progress = store.get(setting.job_id).progress
    assert (progress.stage, progress.ended, progress.subject) == ("rise", ["gradient"], SUBJECT)
    [shown] = previews_of(redis, setting)[-1]["maps"]
    assert shown["method"] == "gradient"
    pixels = np.asarray(decode(shown["map"])) / 255
    assert pixels.shape == (64, 64)
    assert pixels[0, :32].max() < 0.01 < 0.45 < pixels[0, 47] < 0.55  # the positive part, relative to its most


def test_a_preview_always_has_both_lists(store: JobStore, redis: Redis, setting: Setting):
    assert store.show(setting.job_id, attempt=1, previews=Previews(maps=[MapPreview(method="rise", map="data:,")]))
    assert previews_of(redis, setting) == [{"masks": [], "maps": [{"method": "rise", "map": "data:,"}]}]


def test_the_last_step_is_always_written(store: JobStore, setting: Setting):
    setting.hook(Step(99))
    setting.hook(Step(100))
    assert store.get(setting.job_id).progress.fraction == 1.0


def test_the_rest_is_estimated_from_the_speed_so_far(store: JobStore, setting: Setting):
    setting.hook(Step(1))
    assert store.get(setting.job_id).progress.eta_s is None
    setting.clock.now += 2.0
    setting.hook(Step(11))
    assert store.get(setting.job_id).progress.eta_s == pytest.approx(0.2 * 89)


@pytest.mark.parametrize("after_s", [LOOK_S, WRITE_S])
@pytest.mark.parametrize("how", ["deleted", "canceled", "taken over"])
def test_a_job_that_is_not_ours_any_more_ends(store: JobStore, setting: Setting, how: str, after_s: float):
    setting.hook(Step(1))
    if how == "deleted":
        store.delete(setting.job_id)
    elif how == "canceled":
        store.finish(setting.job_id, JobState.CANCELED)
    else:
        store.start(setting.job_id, worker="other")
    setting.clock.now += after_s
    with pytest.raises(NotOurs):
        setting.hook(Step(2))


def test_a_job_over_its_limit_ends(setting: Setting):
    setting.clock.now = LIMIT_S - 0.1
    setting.hook(Step(1))
    setting.clock.now = LIMIT_S
    with pytest.raises(OutOfTime):
        setting.hook(Step(2))


def test_a_worker_that_has_to_stop_puts_its_job_back(setting: Setting):
    setting.activity.stop_within(5)
    setting.hook(Step(1))
    setting.clock.now = 5.0
    with pytest.raises(ShuttingDown):
        setting.hook(Step(2))


def test_every_step_is_a_sign_of_life(setting: Setting):
    for iteration in range(1, 20):
        setting.clock.now += 2
        setting.hook(Step(iteration))
    assert setting.activity.fault() is None


def test_no_ordinary_handler_swallows_the_end():
    assert not any(issubclass(kind, Exception) for kind in (NotOurs, OutOfTime, ShuttingDown))


def test_redis_away_does_not_end_a_job(redis: Redis):
    gone = JobStore(connect("redis://127.0.0.1:1/0", retries=0), retention_s=10)
    make_setting(gone, "job", 1).hook(Step(1))
