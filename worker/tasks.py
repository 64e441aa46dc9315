"""Entry point of a job under its name in the queue, the same in all versions: jobs of another version are run, too."""

from worker.process.job import run_job

__all__ = ["run_job"]
