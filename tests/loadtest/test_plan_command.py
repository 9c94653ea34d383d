"""`python -m voxtide_loadtest plan`, as it is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.helm.chart import VALUES, Helm, the
from tests.helm.conftest import helm, helms  # noqa: F401  # fixtures
from tests.helm.kinds import check
from voxtide_loadtest.__main__ import main

CURVE = "1,1,1,1,1,2,4,8,12,14,15,15,14,14,15,15,14,12,9,7,5,4,2,1"
NEEDED = {"--capacity": "40", "--sessions-per-hour": "1500", "--lengths": "exponential:240"}
QUICK = {"--simulate-up-to": "0"}


def run(*flags: str) -> Any:
    """The result of the command."""
    return CliRunner().invoke(main, ["plan", *flags])


def flags(*options: dict[str, str]) -> list[str]:
    """Options as a command line; later ones win."""
    merged: dict[str, str] = {}
    for one in options:
        merged |= one
    return [word for option in merged.items() for word in option]


def planned(*options: dict[str, str]) -> dict[str, Any]:
    """What the command prints as JSON."""
    result = run(*flags(NEEDED, QUICK, *options), "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_tables_and_values() -> None:
    result = run(*flags(NEEDED, {"--curve": CURVE, "--price": "mine=2.5"}))
    assert result.exit_code == 0, result.output
    for title in ("What to run", "Over the day", "Spare", "Cost", "Simulated"):
        assert title in result.stdout
    chart = yaml.safe_load(result.stdout.partition("# Values")[2].partition("\n")[2])
    assert chart["tier"]["config"] == {"max_sessions": 40}


def test_simulated_beside_the_formula() -> None:
    plan = planned({"--curve": CURVE, "--simulate-up-to": "100000"})
    accounts = plan["simulation"]["accounts"]
    assert set(accounts) == {"day", "rollout", "lost node"}
    day = accounts["day"]
    assert day["arrived"] == pytest.approx(1500 * 24, rel=0.03)
    assert day["share_refused"] <= 0.001
    hours = day["pod_seconds"] / 3600
    assert plan["gpu_hours"] * 0.9 < hours < plan["gpu_hours"] * 1.3
    assert accounts["lost node"]["moved"] > 0


def test_what_is_too_much_to_simulate_is_said() -> None:
    result = run(*flags(NEEDED, {"--simulate-up-to": "1000"}))
    assert "Not simulated" in result.stdout
    assert "day (36," in result.stdout
    plan = planned({"--sessions-per-hour": "12000000", "--lengths": "fixed:300"})
    assert plan["day"][0]["streams"] == pytest.approx(1e6)
    assert plan["simulation"]["left_out"]["day"] > 12e6 * 24


def test_capacity_from_a_report(tmp_path: Path) -> None:
    report = tmp_path / "capacity.json"
    report.write_text(json.dumps({"capacity": {"sessions": 17}, "more": [1]}))
    assert planned({"--capacity": str(report)})["fleet"]["sessions"] == 17


def test_lengths_and_curve_from_files(tmp_path: Path) -> None:
    lengths, curve = tmp_path / "lengths.txt", tmp_path / "curve.json"
    lengths.write_text("60\n180\n480\n")
    curve.write_text(json.dumps([int(weight) for weight in CURVE.split(",")]))
    plan = planned({"--lengths": str(lengths), "--curve": str(curve)})
    same = planned({"--lengths": "fixed:240", "--curve": CURVE})
    assert plan["day"][10]["streams"] == pytest.approx(same["day"][10]["streams"], rel=0.01)
    assert plan["day"][10]["sessions_per_hour"] == same["day"][10]["sessions_per_hour"]


@pytest.mark.parametrize(
    ("option", "given", "said"),
    [
        ("--capacity", "0", "number of sessions must be"),
        ("--capacity", "nowhere.json", "cannot be read"),
        ("--sessions-per-hour", "0", "not in the range"),
        ("--lengths", "exponential", "must be exponential:MEAN"),
        ("--lengths", "lognormal:60", "must be lognormal:MEAN:VARIATION"),
        ("--lengths", "fixed:-1", "more than 0"),
        ("--curve", "1,2,3", "24 to 720 weights, not 3"),
        ("--curve", ",".join(["0"] * 24), "must be more than 0"),
        ("--curve", "1,x", "number 2 of the weights must be 0 or more, not 'x'"),
        ("--price", "2.50", "must be NAME=PRICE"),
        ("--blocking", "1", "not in the range"),
        ("--node-gpus", "1", "as many as a replica has"),
    ],
)
def test_wrong_input_names_the_option(option: str, given: str, said: str) -> None:
    result = run(*flags(NEEDED, QUICK, {"--gpus": "2", "--node-gpus": "2"}, {option: given}))
    assert result.exit_code == 2
    words = " ".join(result.stderr.split())
    assert f"'{option}'" in words
    assert said in words


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "no field capacity.sessions"),
        ('{"capacity": {}}', "no field capacity.sessions"),
        ('{"capacity": {"sessions": 2.5}}', "capacity.sessions in"),
        ('{"capacity": {"sessions": true}}', "capacity.sessions in"),
    ],
)
def test_a_wrong_report_names_its_field(tmp_path: Path, document: str, said: str) -> None:
    report = tmp_path / "capacity.json"
    report.write_text(document)
    result = run(*flags(NEEDED, {"--capacity": str(report)}))
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("scaler", ["keda", "hpa"])
def test_helm_takes_the_values(helm: Helm, scaler: str) -> None:  # noqa: F811
    options = {"--scaler": scaler, "--gpus": "2", "--node-gpus": "8", "--curve": CURVE}
    plan = planned(options)
    chart, given = plan["values"], plan["settings"]
    objects = helm.render(chart)
    for thing in objects:
        check(thing)
    if scaler == "keda":
        spec = the(objects, "ScaledObject")["spec"]
        fewest, most = spec["minReplicaCount"], spec["maxReplicaCount"]
        assert float(spec["triggers"][0]["metadata"]["threshold"]) == given["target"]
        behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    else:
        spec = the(objects, "HorizontalPodAutoscaler")["spec"]
        fewest, most = spec["minReplicas"], spec["maxReplicas"]
        behavior = spec["behavior"]
    assert (fewest, most) == (given["min_replicas"], given["max_replicas"])
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == given["down_after"]
    assert behavior["scaleUp"]["policies"][0]["value"] == given["up"]
    pod = the(objects, "Deployment")["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 2


def test_the_planners_defaults_are_the_charts() -> None:
    plan = planned()
    tier = VALUES["tier"]
    assert plan["goals"]["target"] == tier["autoscaling"]["target"]
    assert plan["fleet"]["max_surge"] == tier["rollout"]["maxSurge"]
    assert plan["settings"]["up"] >= tier["autoscaling"]["podsPerMinute"]["up"]
    assert plan["settings"]["down_after"] >= tier["autoscaling"]["scaleDownAfterSeconds"]
