"""Methods as the API describes them, for a form that offers them."""

from __future__ import annotations

from fastapi.testclient import TestClient

from ep_core.schemas.specs import DEFAULT_METHODS, METHODS


def test_all_methods_are_listed_with_a_sentence_on_each(client: TestClient) -> None:
    listed = client.get("/v1/methods").json()["methods"]
    assert [one["name"] for one in listed] == list(METHODS)
    assert [one["name"] for one in listed if one["by_default"]] == list(DEFAULT_METHODS)
    assert all(one["title"] and one["about"] and one["source"] for one in listed)
    titles = {one["name"]: one["title"] for one in listed}
    assert (titles["grad_cam"], titles["rise"], titles["lrp"]) == ("Grad-CAM", "RISE", "LRP")


def test_who_has_the_list_need_not_get_it_again(client: TestClient) -> None:
    tag = client.get("/v1/methods").headers["etag"]
    assert client.get("/v1/methods", headers={"If-None-Match": tag}).status_code == 304
