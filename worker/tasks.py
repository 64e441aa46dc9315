"""The task under its name in the queue, the same in all versions: what another version has queued is run, too."""

from worker.process.job import run_job

__all__ = ["run_job"]
