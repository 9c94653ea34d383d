"""deploy/compose.yaml: valid, locked down, and in agreement with what it starts and mounts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

import voxtide
from tests.deploy import dockerfile
from voxtide_server import config, launcher

FOLDER = dockerfile.ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = ("nano", "gpu")

each = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
each_server = pytest.mark.parametrize("server", [SERVICES[name] for name in SERVERS], ids=SERVERS)


def mounts(service: dict[str, Any]) -> dict[str, Path]:
    """Files of the repository, by where a container sees them."""
    found = {}
    for volume in service.get("volumes", []):
        source, target, *mode = volume.split(":")
        if source not in COMPOSE["volumes"]:
            assert mode == ["ro"], volume
            found[target] = (FOLDER / source).resolve()
    return found


def provisioned(kind: str) -> Any:
    """A file that Grafana reads when it starts."""
    target = f"/etc/grafana/provisioning/{kind}/voxtide.yaml"
    return yaml.safe_load(mounts(SERVICES["grafana"])[target].read_text(encoding="utf-8"))


def test_it_is_a_compose_file() -> None:
    text = json.dumps(COMPOSE)
    assert set(PyCompose.from_json(text).service_names()) == SERVICES.keys()
    with pytest.raises(ValueError, match="read-only"):
        PyCompose.from_json(text.replace("read_only", "read-only"))


@each
def test_each_is_locked_down(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+(-cpu)?", service["image"])
    assert all(path.is_file() for path in mounts(service).values())


@each_server
def test_the_server_takes_its_arguments_and_its_settings(server: dict[str, Any]) -> None:
    """And has the time to end that it asks for."""
    args, extra = launcher.parse(server["command"])
    (port,) = server["ports"]
    assert (args.host, extra) == ("0.0.0.0", [])
    assert port == f"127.0.0.1:8000:{args.port}"
    settings = config.load(server["environment"])
    minutes = int(server["stop_grace_period"].removesuffix("m"))
    assert minutes * 60 > settings.drain_seconds + 5 + args.grace_seconds


@each_server
def test_the_server_is_built_from_the_dockerfile(server: dict[str, Any]) -> None:
    build = server["build"]
    context = (FOLDER / build["context"]).resolve()
    assert context / build["dockerfile"] == dockerfile.FILE
    arguments = build.get("args", {})
    device = arguments.get("DEVICE", "gpu")
    assert arguments.keys() - {"DEVICE"} <= {*dockerfile.stages()[device].given("ARG")}
    version = server["image"].removeprefix("voxtide:").removesuffix("-cpu")
    assert version == voxtide.__version__
    assert (device == "cpu") == server["image"].endswith("-cpu")


@each_server
def test_the_server_can_write_where_it_has_to(server: dict[str, Any]) -> None:
    kept = [volume.split(":")[1] for volume in server["volumes"]]
    passing = [place.split(":")[0] for place in server["tmpfs"]]
    assert {*kept, *passing} == {*dockerfile.image().volumes}


@pytest.fixture
def prometheus(tmp_path: Path) -> Path:
    """Its folder, as it is in the container."""
    for target, source in mounts(SERVICES["prometheus"]).items():
        shutil.copy(source, tmp_path / Path(target).relative_to("/etc/prometheus"))
    return tmp_path


def test_prometheus_takes_its_configuration_and_the_rules(prometheus: Path) -> None:
    command = ["promtool", "check", "config", prometheus / "prometheus.yml"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "SUCCESS: 1 rule files found" in run.stdout
    assert re.search(r"alerts\.yaml\s+SUCCESS: \d\d rules found", run.stdout)


def test_prometheus_asks_the_server(prometheus: Path) -> None:
    (job,) = yaml.safe_load((prometheus / "prometheus.yml").read_text())["scrape_configs"]
    ((target,),) = (one["targets"] for one in job["static_configs"])
    host, port = target.split(":")
    for name in SERVERS:
        assert host in SERVICES[name]["networks"]["default"]["aliases"]
        assert SERVICES[name]["ports"][0].endswith(f":{port}")


def test_grafana_asks_prometheus() -> None:
    (source,) = provisioned("datasources")["datasources"]
    (port,) = SERVICES["prometheus"]["ports"]
    assert source["url"] == f"http://prometheus:{port.split(':')[-1]}"
    assert (source["type"], source["isDefault"]) == ("prometheus", True)


def test_grafana_shows_the_dashboard_of_the_chart() -> None:
    (provider,) = provisioned("dashboards")["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert str(Path(home).parent) == provider["options"]["path"]
    dashboard = json.loads(mounts(SERVICES["grafana"])[home].read_text(encoding="utf-8"))
    assert dashboard["title"] == "voxtide"
    (variable,) = (v for v in dashboard["templating"]["list"] if v["type"] == "datasource")
    (source,) = provisioned("datasources")["datasources"]
    assert variable["query"] == source["type"]
