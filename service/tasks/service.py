"""Description of all tasks, made from their table."""

from __future__ import annotations

from ep_core.schemas.tasks import DEFAULT_TASK, TASKS, Task

from .schemas import TaskFile, TaskList, TaskRead


def list_tasks(*, most_images: int | None = None) -> TaskList:
    """Return what the API says of its tasks.

    Args:
        most_images: how many images a job may have here; None for as many as its task takes.
    """
    return TaskList(default=DEFAULT_TASK.name, tasks=[_read(task, most_images) for task in TASKS.values()])


def _read(task: Task, most_images: int | None) -> TaskRead:
    files = [
        TaskFile(key=one.key, title=one.summary, media_type=one.media_type, many=one.name is not None)
        for one in task.artifacts
        if one.key is not None
    ]
    least, most = task.images
    return TaskRead(
        name=task.name,
        title=task.title,
        question=task.question,
        tab=task.tab or task.title,
        spec=task.spec.__name__,
        python=task.python,
        least_images=least,
        most_images=most if most_images is None else min(most, most_images),
        unit=task.unit,
        picture=task.picture,
        form=list(task.form),
        files=files,
    )
