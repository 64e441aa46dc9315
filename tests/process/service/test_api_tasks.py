"""Tasks as the API describes them: forms and lists are made of that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from ep_core.schemas.tasks import TASKS


def test_all_tasks_are_listed_with_what_a_form_needs(client: TestClient) -> None:
    answer = client.get("/v1/tasks")
    listed = answer.json()
    schemas = client.get("/openapi.json").json()["components"]["schemas"]

    assert (listed["default"], [task["name"] for task in listed["tasks"]]) == ("extremal", list(TASKS))
    for task in listed["tasks"]:
        fields = schemas[task["spec"]]["properties"]
        assert fields["task"]["const"] == task["name"]
        assert set(task["form"]) <= set(fields)
        assert task["tab"]
        keys = {file["key"] for file in task["files"]}
        assert task["picture"] in keys <= set(schemas["JobLinks"]["properties"])


def test_a_task_says_how_many_images_it_takes(client: TestClient) -> None:
    most = {task["name"]: task["most_images"] for task in client.get("/v1/tasks").json()["tasks"]}
    assert most == {"extremal": 1, "channels": 1, "class_channels": 4, "compare": 1}  # 4: the operator's limit


def test_who_has_the_list_need_not_get_it_again(client: TestClient) -> None:
    tag = client.get("/v1/tasks").headers["etag"]
    assert client.get("/v1/tasks", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("wrong", [{"form": ("layer",)}, {"picture": "sheet"}])
def test_a_task_that_names_what_it_lacks_is_no_task(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="extremal"):
        replace(TASKS["extremal"], **wrong)
