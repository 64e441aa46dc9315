"""Parameters that can't be: each is named, with its value and what is allowed, and no job is left behind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from ep_core.schemas.specs import ExtremalSpec
from service.uploads.limits import MAX_PARAMS_BYTES

from .problems import problem_of

pytestmark = pytest.mark.usefixtures("no_job_is_left")


@pytest.mark.parametrize(
    ("params", "field", "says"),
    [
        ('{"model": "mobilenet"}', "model", "mobilenet_v2"),
        ('{"model": "resnet10t"}', "model", "timm:org/resnet10t.c3_in1k"),
        ('{"target": "black bear"}', "target", "American black bear"),
        ('{"target": "crane"}', "target", "[3, 4]"),
        ('{"target": 6}', "target", "0 to 5"),
        ('{"target": -1}', "target", "0 to 5"),
        ('{"target": 1.5}', "target", "1.5 is not a whole number"),
        ('{"target": true}', "target", "true is not a text"),
        ('{"target": ""}', "target", "at least 1 character"),
        ('{"target": {"class": 0}}', "target.instead_of", "it is missing"),
        ('{"target": {"class": 0.5, "instead_of": 1}}', "target.class", "0.5 is not a whole number"),
        ('{"target": {"class": 0, "instead_of": 0}}', "target", "a class instead of itself"),
        ('{"target": {"class": 0, "instead_of": 6}}', "target", "0 to 5"),
        ('{"target": {"class": 0, "instead_of": "black bear"}}', "target", "American black bear"),
        ('{"target": {"class": 0, "instead_of": 1, "or": 2}}', "target.or", "there is no such field"),
        ('{"target": {"text": "a bear in snow"}}', "target", "doesn't compare images with texts"),
        ('{"target": {"text": ""}}', "target.text", "at least 1 character"),
        ('{"target": {}}', "target.class", "it is missing"),
        ('{"target": {"text": "a bear", "instead_of": 1}}', "target.instead_of", "there is no such field"),
        ('{"target": []}', "target", "not a whole number"),
        ('{"target": 99999999999999999999999}', "target", "0 to 5"),
        ('{"variant": "keep"}', "variant", "'preserve', 'delete' or 'hybrid'"),
        ('{"perturbation": "noise"}', "perturbation", "'blur', 'fade' or 'drop'"),
        ('{"preset": "slow"}', "preset", "'fast' or 'paper'"),
        ('{"task": "chanels"}', "task", "did you mean channels"),
        ('{"task": "xyzzy"}', "task", "the tasks are extremal, compare, channels, class_channels"),
        ('{"task": 3}', "task", "no such task"),
        ('{"task": "channels", "areas": [0]}', "areas.0", "must be at least 1"),
        ('{"task": "channels", "areas": [0.1]}', "areas.0", "whole number"),
        ('{"task": "channels", "areas": [1, 1]}', "areas", "different"),
        ('{"task": "channels", "zzz": 1}', "zzz", "the fields are task, model"),
        ('{"task": "channels", "layr": "x"}', "layr", "did you mean layer"),
        ('{"task": "channels", "layer": "features.81"}', "layer", "did you mean 'features.8'"),
        ('{"task": "channels", "layer": "features.13", "areas": [97]}', "areas", "use 1 to 96"),
        ('{"task": "class_channels", "top": 99}', "top", "must be at most 16"),
        ('{"areas": []}', "areas", "there must be at least 1"),
        (json.dumps({"areas": [i / 100 for i in range(1, 66)]}), "areas", "there may be at most 64"),
        ('{"areas": [0.1, 0.2, 0.10]}', "areas", "different"),
        ('{"areas": 0.1}', "areas", "0.1 is not a list"),
        ('{"areas": [0.1, 0]}', "areas.1", "must be more than 0"),
        ('{"areas": [0.1, 1]}', "areas.1", "must be less than 1"),
        (f'{{"areas": [1{"0" * 400}]}}', "areas.0", "is too large"),
        (f'{{"areas": [-1{"0" * 400}]}}', "areas.0", "is too small"),
        ('{"areas": [10, 20]}', "areas.0", "10 is not a share of the image: write 0.1 for 10 %"),
        ('{"target": "2"}', "target", 'a class index is a number, not a text, as in "target": 2'),
        ('{"areas": [-0.5]}', "areas.0", "must be more than 0"),
        ('{"areas": ["a lot"]}', "areas.0", "number"),
        ('{"areas": [NaN]}', "areas.0", "finite"),
        ('{"areas": [0.1, Infinity]}', "areas.1", "finite"),
        ('{"threshold": NaN}', "threshold", "finite"),
        ('{"seed": -1}', "seed", "must be at least 0"),
        ('{"iterations": 0}', "iterations", "must be at least 1"),
        ('{"perturbation": "fade", "sigma_max": 5}', "sigma_max", "at most 1"),
        ('{"independent": 0}', "independent", "neither true nor false"),
        ('{"area": [0.1]}', "area", "did you mean areas"),
        ('{"zzz": 1}', "zzz", "the fields are task, model, target"),
        ("[0.1, 0.2]", "params", "object"),
        ("null", "params", "object"),
        ('"areas"', "params", "object"),
        ("areas=0.1", "params", "not valid JSON"),
        ('{"areas": [0.1]', "params", "not valid JSON"),
        ('{"target": "\\ud800"}', "params", "not valid JSON"),
        ("[" * 5000, "params", "not valid JSON"),
    ],
)
def test_bad_params_are_named_and_the_allowed_is_said(
    client: TestClient, png: bytes, params: str, field: str, says: str
) -> None:
    problem = problem_of(client.post("/v1/jobs", files={"image": png}, data={"params": params}))

    assert problem.status == 422
    assert problem.errors[0].field == field
    assert says in problem.errors[0].detail
    assert says in problem.detail


def test_every_bad_field_is_named_with_its_value_and_what_is_allowed(client: TestClient, png: bytes) -> None:
    params = '{"areas": [0.1, 7, NaN], "variant": "keep", "sed": 1}'
    problem = problem_of(client.post("/v1/jobs", files={"image": png}, data={"params": params}))

    by_field = {error.field: error for error in problem.errors}
    assert set(by_field) == {"areas.1", "areas.2", "variant", "sed"}
    assert (by_field["areas.1"].value, by_field["areas.2"].value) == ("7", "NaN")
    assert by_field["variant"].allowed["enum"] == ["preserve", "delete", "hybrid"]
    assert by_field["areas.1"].allowed["items"]["exclusiveMaximum"] == 1
    assert by_field["sed"].nearest[0] == "seed"
    assert problem.type == "/problems/invalid-input"


def test_names_that_may_have_been_meant_are_listed(client: TestClient, png: bytes) -> None:
    problem = problem_of(client.post("/v1/jobs", files={"image": png}, data={"params": '{"target": "bear"}'}))

    assert problem.type == "/problems/unknown-name"
    assert problem.errors[0].nearest == ["brown bear", "American black bear"]


def test_long_params_are_refused(client: TestClient, png: bytes) -> None:
    params = "{" + " " * MAX_PARAMS_BYTES + "}"
    problem = problem_of(client.post("/v1/jobs", files={"image": png}, data={"params": params}))

    assert (problem.status, problem.errors[0].field) == (413, "params")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
near_params = st.dictionaries(
    st.sampled_from(list(ExtremalSpec.model_fields)) | st.text(max_size=8), json_values, max_size=4
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(params=near_params | json_values)
def test_any_json_as_params_is_a_job_or_a_problem(client: TestClient, redis: Redis, png: bytes, params: Any) -> None:
    answer = client.post("/v1/jobs", files={"image": png}, data={"params": json.dumps(params)})

    assert answer.status_code in (202, 422), answer.text
    if answer.status_code == 202:
        assert client.delete(answer.headers["location"]).status_code == 204
    else:
        assert problem_of(answer).errors
