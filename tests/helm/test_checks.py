"""What does not go together fails when it is rendered, with one sentence that says so."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.helm.chart import CHART, Helm, RenderError

SECRET = {"existingSecret": "secret"}
GATEWAY = {"enabled": True, "parentRefs": [{"name": "edge"}]}
COMMIT = "0" * 40
CLAIM = {"type": "claim"}


def tier(**values: Any) -> dict[str, Any]:
    """Values with these for all tiers."""
    return {"tier": values}


IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "tests without a key": (
        {"auth": {"keysFile": SECRET}},
        "test.apiKey.existingSecret is missing: auth.keysFile holds hashes, and `helm test` "
        "needs a key (or test.enabled: false).",
    ),
    "scrapes without a key": (
        {"config": {"guard_metrics": True}, "metrics": {"monitor": "pod"}},
        "metrics.apiKey.existingSecret is missing: with config.guard_metrics, Prometheus needs "
        "a key.",
    ),
    "no folder of the node": (
        {"modelCache": {"type": "hostPath"}},
        "modelCache.hostPath is missing: modelCache.type is hostPath.",
    ),
    "a job into nothing": (
        {"modelCache": {"job": True}},
        "modelCache.job needs modelCache.type claim: what a Job fetches into emptyDir, other "
        "pods do not see.",
    ),
    "a route without a gateway": (
        {"httpRoute": {"enabled": True}},
        "httpRoute.parentRefs is empty: a route needs a gateway.",
    ),
    "an ingress to nowhere": (
        {"ingress": {"enabled": True}},
        "tier live: hosts is empty: the Ingress would not lead to it.",
    ),
    "two routes for every host": (
        {"httpRoute": GATEWAY, "tiers": {"a": {"hosts": ["a.example"]}, "b": {}}},
        "tier b: hosts is empty: with several tiers, the HTTPRoute tells them apart by host name.",
    ),
    "one host for two": (
        {"tiers": {"a": {"hosts": ["a.example"]}, "b": {"hosts": ["a.example"]}}},
        "tier b: host a.example leads to tier a already.",
    ),
    "a drain for nobody": (
        {"config": {"session_seconds": 60}, **tier(drain={"seconds": 90})},
        "tier live: drain.seconds 90 is longer than any session lasts (config.session_seconds 60).",
    ),
    "a grace period of a tier that is too short": (
        {
            "config": {"session_seconds": 3600},
            "tiers": {"slow": {"terminationGracePeriodSeconds": 3649}},
        },
        "tier slow: terminationGracePeriodSeconds 3649 cuts sessions off: ending takes up to "
        "3650 s (15 before the drain, 3600 of drain, 5, and 30 to stop).",
    ),
    "an image for nano": (
        tier(model="nano", modelImage="models.example/nano"),
        "tier live: modelImage has no use with nano, which is in the image.",
    ),
    "a delay that nano does not know": (
        tier(model="nano", delayMs=560),
        "tier live: nano was not trained for a delay of 560 ms: delayMs is 240, 480, 960 or 2400.",
    ),
    "a model that is nowhere": (
        tier(model="voxtral"),
        "tier live: model voxtral is no id on the hub (OWNER/NAME), no folder (/...) and not "
        "nano; with modelImage any name will do.",
    ),
    "a job for a branch": (
        {"modelCache": {**CLAIM, "job": True}},
        "tier live: modelCache.job needs a revision that is a commit (40 digits): main may move "
        "after the Job has run.",
    ),
    "a disk for one pod": (
        {"modelCache": {**CLAIM, "claim": {"accessModes": ["ReadWriteOnce"]}}},
        "tier live: modelCache.claim.accessModes without ReadWriteMany holds only one pod, and a "
        "rollout has 2: rollout.maxSurge: 0, or another class of storage.",
    ),
    "probes without a key": (
        tier(config={"guard_health": True}),
        "tier live: config.guard_health cannot be: probes have no key.",
    ),
    "another port": (
        tier(vllmArgs=["--port=9000"]),
        "tier live: vllmArgs must not have --port=9000, which the chart sets.",
    ),
    "settings past the chart": (
        tier(env=[{"name": "VOXTIDE_DRAIN_SECONDS", "value": "5"}]),
        "tier live: env must not have VOXTIDE_DRAIN_SECONDS, which the chart or its values config "
        "and auth set.",
    ),
    "a GPU for the CPU": (
        tier(model="nano", profile="cpu"),
        "tier live: profile cpu leaves nvidia.com/gpu unused: take it out of resources.limits "
        "(nvidia.com/gpu: null).",
    ),
    "a rollout that stands still": (
        tier(rollout={"maxSurge": 0}),
        "tier live: rollout.maxSurge and rollout.maxUnavailable are both 0: no pod could ever be "
        "replaced.",
    ),
    "more than the most": (
        tier(autoscaling={"type": "hpa", "minReplicas": 5}),
        "tier live: autoscaling.minReplicas 5 is more than autoscaling.maxReplicas 4.",
    ),
    "nobody to ask": (
        tier(autoscaling={"type": "keda"}),
        "tier live: autoscaling.prometheus is missing: KEDA asks there.",
    ),
    "a budget that holds all": (
        tier(replicas=2, disruptionBudget={"minAvailable": 2}),
        "tier live: disruptionBudget.minAvailable 2 of 2 pods would keep nodes from ever being "
        "drained.",
    ),
    "a budget of none": (
        tier(disruptionBudget={"maxUnavailable": 0}),
        "tier live: disruptionBudget.maxUnavailable 0 would keep nodes from ever being drained.",
    ),
    "a canary with hosts": (
        {"httpRoute": GATEWAY, **tier(canary={"enabled": True, "tier": {"hosts": ["a.example"]}})},
        "tier live: canary.tier must not have hosts, which belongs to the tier as a whole.",
    ),
    "a share of what changes": (
        tier(
            replicas=9,
            canary={"enabled": True},
            autoscaling={"type": "hpa"},
        ),
        "tier live: canary.weight needs httpRoute.enabled where the tier is autoscaled: the "
        "canary's share of the pods would change.",
    ),
    "a tenth of one pod": (
        tier(canary={"enabled": True, "weight": 10}),
        "tier live: without httpRoute.enabled the canary gets its share of the pods, and 1 of "
        "them would be 50 %, not canary.weight 10.",
    ),
    "too small a canary": (
        tier(replicas=3, canary={"enabled": True, "weight": 50, "replicas": 1}),
        "tier live: without httpRoute.enabled the canary gets its share of the pods, and 1 of "
        "them would be 25 %, not canary.weight 50.",
    ),
    "a canary's own delay": (
        tier(model="nano", replicas=9, canary={"enabled": True, "tier": {"delayMs": 80}}),
        "tier live (canary): nano was not trained for a delay of 80 ms: delayMs is 240, 480, 960 "
        "or 2400.",
    ),
}


def refusal(helm: Helm, values: dict[str, Any], *flags: str) -> str:
    """The sentence with which rendering fails."""
    with pytest.raises(RenderError) as refused:
        helm.render(values, *flags)
    said = str(refused.value).replace("\n", " ")
    found = re.search(r"execution error at \(\S+\): (.*?)\s+Use --debug", said)
    assert found, said
    return found[1]


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_impossible(helm: Helm, what: str) -> None:
    values, sentence = IMPOSSIBLE[what]
    assert refusal(helm, values) == sentence


def test_an_image_volume_on_a_cluster_that_has_none(helm: Helm) -> None:
    values = tier(modelImage="models.example/voxtral")
    assert refusal(helm, values, "--kube-version", "1.32.4") == NO_IMAGE_VOLUMES
    assert helm.render(values, "--kube-version", "1.33.0")


NO_IMAGE_VOLUMES = "tier live: modelImage needs Kubernetes 1.33 or later, this is v1.32.4."


@pytest.mark.parametrize("name", ["rules", "dashboard"])
def test_a_chart_that_lost_a_file(helm: Helm, tmp_path: Path, name: str) -> None:
    shutil.copytree(CHART, tmp_path / "voxtide", ignore=shutil.ignore_patterns(*LOST))
    without = Helm(helm.binary, tmp_path / "voxtide")
    said = refusal(without, {"metrics": {name: {"enabled": True}}})
    assert said.endswith("which this copy of the chart does not have.")


LOST = ("alerts.yaml", "dashboard.json")


def test_each_check_has_a_test() -> None:
    """Every sentence of _checks.tpl is one of those above, but for what is filled in."""
    source = (CHART / "templates" / "_checks.tpl").read_text(encoding="utf-8")
    formats = re.findall(r'fail (?:\(printf )?"(.*?)"[ )]', source.replace("%%", "%"))
    assert len(formats) == source.count("{{- fail")
    known = [sentence for _, sentence in IMPOSSIBLE.values()] + [NO_IMAGE_VOLUMES]
    untested = [
        one
        for one in formats
        if not any(re.fullmatch(_pattern(one), sentence) for sentence in known)
        and not any(name in one for name in LOST)
    ]
    assert untested == []


def _pattern(template: str) -> str:
    return ".*".join(re.escape(part) for part in re.split(r"%(?:s|d|v|\.0f)", template))
