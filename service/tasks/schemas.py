"""Tasks as the API describes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ep_core.schemas.tasks import TaskName


class TaskFile(BaseModel):
    """A file of a task's results, or a family of files."""

    key: Annotated[str, Field(description="What `links` calls it.", examples=["saliency"])]
    title: Annotated[str, Field(description="What it is.", examples=["Saliency map"])]
    media_type: Annotated[str, Field(description="Its type.", examples=["image/png"])]
    many: Annotated[bool, Field(description="Whether there are several, each under its own name.")]


class TaskRead(BaseModel):
    """A task: one kind of job, and what a form and a list need to know of it."""

    name: Annotated[TaskName, Field(description="What `params.task` calls it.")]
    title: Annotated[str, Field(description="What a result is called.", examples=["Masks"])]
    question: Annotated[str, Field(description="What is asked.", examples=["Which part of the image is enough?"])]
    tab: Annotated[
        str, Field(description="The tab of a form that offers it; several may share one.", examples=["Where"])
    ]
    spec: Annotated[str, Field(description="The schema of its `params` in this document.", examples=["ExtremalSpec"])]
    python: Annotated[
        str | None, Field(description="The function of the Python package that does the same.", examples=["explain"])
    ] = None
    least_images: Annotated[int, Field(description="How many images a job has, at least.")]
    most_images: Annotated[int, Field(description="How many images a job has, at most.")]
    unit: Annotated[
        Literal["share", "channels"], Field(description="What areas are: shares of the image, or counts of channels.")
    ]
    picture: Annotated[
        str | None, Field(description="The key of the file that shows a result at a glance.", examples=["saliency"])
    ] = None
    form: Annotated[list[str], Field(description="The parameters that a short form offers, in its order.")]
    files: Annotated[list[TaskFile], Field(description="The files that a job's `links` can name.")]


class TaskList(BaseModel):
    """All tasks."""

    default: Annotated[TaskName, Field(description="The task of a job that names none.")]
    tasks: Annotated[list[TaskRead], Field(description="In the order in which a form offers them.")]
