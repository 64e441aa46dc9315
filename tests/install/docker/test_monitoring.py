"""The profile `monitoring`: Prometheus scrapes the API, and Grafana queries only metrics that the API exports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from ep_core.schemas.tasks import TASKS
from service.app import create_app
from service.run.embedded_redis import EmbeddedRedis
from service.settings import ApiSettings
from worker.broker import liveness
from worker.broker.contract import JobState
from worker.broker.statistics import Stats

ROOT = Path(__file__).parents[3]
GRAFANA = ROOT / "docker" / "grafana"
UNITS = {"short", "s", "bytes", "ops", "reqps", "percentunit"}  # of Grafana's


def read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text()))


DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "extremal-perturbations.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, set[str]]]:
    """The names of all samples that a busy API exports, each with the names of its labels."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server, Redis.from_url(server.url) as redis:
        liveness.beat(redis, "host.1", ttl_s=60, memory_bytes=5_000_000)
        stats = Stats(redis)
        stats.spent({"steps": 1.0})
        for task in TASKS:
            stats.ran(task, JobState.SUCCEEDED, waited_s=0.2, ran_s=12, iterations=400)
        stats.loaded("mobilenet_v2")
        stats.delivery("delivered")
        client = TestClient(create_app(ApiSettings(redis_url=server.url)), base_url="http://127.0.0.1")
        client.get("/healthz")
        families = text_string_to_metric_families(client.get("/metrics").text)
        yield {sample.name: set(sample.labels) for family in families for sample in family.samples}


def names(query: str) -> set[str]:
    """Return the metrics in a query: its words, but for labels, functions, operators and durations."""
    query = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|on|without)\s*\([^)]*\)", " ", query)
    words = re.findall(r"[a-zA-Z_:][\w:]*(?!\w*\s*\()", query)
    return set(words) - {"and", "or", "sum", "max", "min"}


def labels(query: str) -> set[str]:
    """Return the labels in a query."""
    grouped = re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", query)
    matched = re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\s*\"", query)
    return {label.strip() for group in grouped for label in group.split(",")} | set(matched)


class TestDashboard:
    @pytest.mark.parametrize("query", QUERIES)
    def test_asks_only_for_what_the_api_tells(self, samples: dict[str, set[str]], query: str) -> None:
        assert names(query)
        assert names(query) <= samples.keys()

    @pytest.mark.parametrize("query", QUERIES)
    def test_groups_and_picks_by_labels_that_are_there(self, samples: dict[str, set[str]], query: str) -> None:
        there = set().union(*(samples[name] for name in names(query)))
        assert labels(query) <= there | {"job", "instance"}  # which Prometheus itself adds

    def test_shows_all_that_is_told_of_jobs_workers_and_requests(self, samples: dict[str, set[str]]) -> None:
        shown = set().union(*map(names, QUERIES))
        told = {
            name for name in samples if name.startswith("ep_") and not name.endswith(("_sum", "_count", "_created"))
        }
        assert told <= shown

    @pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
    def test_a_panel_says_what_it_shows(self, panel: dict[str, Any]) -> None:
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == panel["datasource"]["uid"] == "${datasource}"
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= {"__rate_interval", "window"}

    def test_its_variables_are_declared(self) -> None:
        declared = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
        assert declared.keys() == {"datasource", "window"}
        assert declared["datasource"]["query"] == "prometheus"

    def test_panels_have_ids_of_their_own_and_do_not_overlap(self) -> None:
        assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
        cells = [
            (x, y)
            for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) < 24


class TestProvisioning:
    def test_prometheus_asks_every_api(self) -> None:
        (job,) = read(ROOT / "docker" / "prometheus.yml")["scrape_configs"]
        (found,) = job["dns_sd_configs"]
        assert (found["names"], found["port"]) == (["api"], 8000)
        assert job.get("metrics_path", "/metrics") == "/metrics"

    def test_grafana_asks_prometheus(self) -> None:
        (source,) = read(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
        assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
        (variable,) = [v for v in DASHBOARD["templating"]["list"] if v["type"] == "datasource"]
        assert source["uid"] == variable["current"]["value"]
        assert (
            source["jsonData"]["timeInterval"] == read(ROOT / "docker" / "prometheus.yml")["global"]["scrape_interval"]
        )

    def test_grafana_finds_the_dashboard_where_compose_mounts_it(self) -> None:
        service = read(ROOT / "docker-compose.yml")["services"]["grafana"]
        mounted = {target: ROOT / source for source, target, _ in (v.split(":") for v in service["volumes"])}
        (provider,) = read(GRAFANA / "provisioning" / "dashboards" / "dashboards.yml")["providers"]
        folder = mounted[provider["options"]["path"]]
        home = Path(service["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
        assert (folder / home.name).is_file()
        assert str(home.parent) == provider["options"]["path"]
        for kind in ("dashboards", "datasources"):
            assert mounted[f"/etc/grafana/provisioning/{kind}"] == GRAFANA / "provisioning" / kind

    def test_only_the_profile_starts_them(self) -> None:
        services = read(ROOT / "docker-compose.yml")["services"]
        assert {n for n, s in services.items() if s.get("profiles") == ["monitoring"]} == {"prometheus", "grafana"}
