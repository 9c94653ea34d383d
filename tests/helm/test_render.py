"""Every file of values in ci/ is taken by both Helms, and makes what Kubernetes takes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from kubernetes_validate import ValidationError as KubernetesError

import voxtide
from tests.helm.binaries import MAJORS
from tests.helm.chart import CHART, CI, Helm, the
from tests.helm.kinds import check
from tests.helm.rendered import EXAMPLES, path_of

each = pytest.mark.parametrize(
    "values", CI, ids=lambda path: path.name.removesuffix("-values.yaml")
)


@pytest.fixture(scope="module")
def archives(helms: dict[int, Helm], tmp_path_factory: pytest.TempPathFactory) -> dict[int, Helm]:
    """Helm by major version, each with the chart as it packs it itself."""
    packed = {}
    for major, helm in helms.items():
        folder = tmp_path_factory.mktemp(f"packed-{major}")
        helm.run("package", str(CHART), "--destination", str(folder))
        packed[major] = Helm(helm.binary, next(folder.glob("voxtide-*.tgz")))
    return packed


@each
@pytest.mark.parametrize("major", MAJORS)
def test_nothing_to_complain_about(helms: dict[int, Helm], major: int, values: Path) -> None:
    said = helms[major].run("lint", "--strict", str(CHART), "-f", str(values))
    assert "1 chart(s) linted, 0 chart(s) failed" in said


@each
def test_valid_and_the_same_from_an_archive(
    helm: Helm, archives: dict[int, Helm], values: Path
) -> None:
    objects = helm.render(values)
    for thing in objects:
        check(thing)
    for packed in archives.values():
        assert packed.render(values) == objects


def test_the_check_of_objects_finds_an_unknown_field(helm: Helm) -> None:
    deployment = the(helm.render({}), "Deployment")
    deployment["spec"]["template"]["spec"]["replica"] = 1
    with pytest.raises(KubernetesError):
        check(deployment)
    monitor = the(helm.render({"metrics": {"monitor": "pod"}}), "PodMonitor")
    monitor["spec"]["interval"] = "1s"
    with pytest.raises(AssertionError):
        check(monitor)


def test_names_are_unique_and_short(helm: Helm) -> None:
    objects = helm.render(
        {
            "fullnameOverride": "a" * 60,
            "tiers": {"b" * 15: {}, "b": {}},
            "tier": {"replicas": 9, "canary": {"enabled": True}, "revision": "0" * 40},
            "modelCache": {"type": "claim", "job": True},
        }
    )
    names = [(one["kind"], one["metadata"]["name"]) for one in objects]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 63 for _, name in names)


def test_everything_belongs_to_the_release(helm: Helm) -> None:
    for one in helm.render({"labels": {"team": "speech"}, "metrics": {"monitor": "pod"}}):
        assert one["metadata"]["namespace"] == "talk"
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "speech"
        assert labels["team"] == "speech"


@pytest.mark.parametrize("name", EXAMPLES)
def test_rendered_examples_are_up_to_date(helm: Helm, name: str) -> None:
    """If this fails: python -m tests.helm.rendered, and look at what git shows."""
    kept = path_of(name).read_text(encoding="utf-8")
    assert helm.text(CHART / "ci" / f"{name}-values.yaml") == kept


def test_the_notes_name_the_next_three_commands(helm: Helm) -> None:
    notes = _notes(helm, "{tiers: {fast: {delayMs: 240}}}")
    assert "fast: mistralai/Voxtral-Mini-4B-Realtime-2602, delay 240 ms" in notes
    steps = re.findall(r"^(\d)\. .*\n   (\S+ \S+)", notes, re.MULTILINE)
    assert [number for number, _ in steps] == ["1", "2", "3"]
    assert "rollout status deployment/speech-voxtide-fast" in notes
    assert "helm test -n talk speech" in notes
    assert "Nobody is asked for a key" in notes
    assert "Nobody is asked for a key" not in _notes(helm, "{auth: {key: {existingSecret: a}}}")


def _notes(helm: Helm, values: str) -> str:
    """What an installation would print, without a cluster."""
    command = [helm.binary, "install", "speech", CHART, "-n", "talk", "-f", "-", "--dry-run=client"]
    done = subprocess.run(command, input=values, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("NOTES:")[1]


def test_the_chart_is_of_this_release() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == voxtide.__version__
    assert f"## {chart['version']}\n" in (CHART / "UPGRADING.md").read_text(encoding="utf-8")
    changes = yaml.safe_load(chart["annotations"]["artifacthub.io/changes"])
    assert all(set(change) == {"kind", "description"} for change in changes)
