"""Cost of an image beside the steps of its masks: in a run over a dataset, and as a job of the service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor, nn

from ep_core.dataset.listing import list_items
from ep_core.dataset.run import explain_dataset
from ep_core.engine import explain
from ep_core.models import Classifier
from ep_core.optimiser.alone import Alone
from ep_core.optimiser.solver import Solver
from tests.networks import model_list

from .dataset_images import SPEC, make_images, small_job
from .posting import FINAL, Poster, no_reuse
from .report import Line, Report
from .stack import Stack

MOST = 1 / 3
"""Of the cost beside the steps of a job of the service."""
SIZE = (640, 480)
WARM_UP = 3
LOOK_S = 1.0  # seldom: a look costs the service, too


def measure_cost(result: Report, line: Line, *, images: int) -> None:
    """Compare seconds of CPU beside the steps: those of a run over a dataset with those of API, worker and Redis."""
    with TemporaryDirectory(prefix="ep-dataset-") as name:
        folder = Path(name)
        make_images(folder / "in", images + WARM_UP, SIZE)
        files = sorted((folder / "in").iterdir())
        job, model = small_job(folder, "out")
        steps_s = _steps_s(model, files[WARM_UP:])
        small_job_here, _ = small_job(folder, "warm")
        items = list_items(str(folder / "in"))
        explain_dataset(small_job_here, model, items[:WARM_UP])
        began = time.process_time()
        explain_dataset(job, model, items[WARM_UP:], on_progress=lambda done, of: line.show("dataset", done, of))
        here_s = (time.process_time() - began) / images
        there_s = _service_s(files, line)
    result.tell("steps of an image's masks, ms of CPU", round(1000 * steps_s, 1))
    result.tell("beside them, in a run over a dataset, ms", round(1000 * (here_s - steps_s), 1))
    result.tell("beside them, as a job of the service, ms", round(1000 * (there_s - steps_s), 1))
    share = (here_s - steps_s) / (there_s - steps_s)
    result.check("dataset, times the service", f"{share:.2f}", f"<= {MOST:.2f}", met=share <= MOST)


class _Timed(Alone):
    """Runner that counts the seconds of CPU of the steps, and of tuning the network for them."""

    def __init__(self) -> None:
        self.cpu_s = 0.0

    def tune(self, network: nn.Module, example: Tensor) -> nn.Module:
        began = time.process_time()
        tuned = super().tune(network, example)
        self.cpu_s += time.process_time() - began
        return tuned

    def run(self, solver: Solver) -> Iterator[int]:
        began = time.process_time()
        for done in super().run(solver):
            self.cpu_s += time.process_time() - began
            yield done
            began = time.process_time()


def _steps_s(model: Classifier, files: list[Path]) -> float:
    timed = _Timed()
    for file in files:
        explain(model, file, SPEC, runner=timed)
    return timed.cpu_s / len(files)


def _service_s(files: list[Path], line: Line) -> float:
    """Return seconds of CPU of a job, of all processes of the service."""
    params = SPEC.model_dump(mode="json")
    with ExitStack() as running:
        stack = running.enter_context(Stack(models=model_list("plain")))
        client = running.enter_context(stack.client())
        poster = Poster([client], params, no_reuse(client))

        def send(some: list[Path]) -> None:
            posted = [poster.post(file.read_bytes()) for file in some]
            line.show("jobs", 0, len(posted))
            while poster.ask("GET", f"/v1/jobs/{posted[-1]}").json()["status"] not in FINAL:
                time.sleep(LOOK_S)
            for job_id in posted:
                ended = poster.finish(job_id)
                assert ended["status"] == "succeeded", ended["error"]

        def used_s() -> float:
            redis_s = stack.connect().info("cpu")
            own = sum(process.cpu_s() for process in (*stack.apis, *stack.workers))
            return own + redis_s["used_cpu_user"] + redis_s["used_cpu_sys"]

        send(files[:WARM_UP])
        began = used_s()
        send(files[WARM_UP:])
        return (used_s() - began) / (len(files) - WARM_UP)
