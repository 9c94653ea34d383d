"""Tiers, their canaries, and what leads to which pods."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helm.chart import Helm, Object, of_kind, server_of, settings, the


def tier(**values: Any) -> dict[str, Any]:
    """Values with these for all tiers."""
    return {"tier": values}


def checksum(objects: list[Object], name: str) -> str:
    """What makes pods new when their settings change."""
    template = the(objects, "Deployment", name)["spec"]["template"]
    return str(template["metadata"]["annotations"]["checksum/config"])


def chosen(objects: list[Object], service: str) -> set[str]:
    """Names of the Deployments whose pods a Service leads to."""
    selector = the(objects, "Service", service)["spec"]["selector"].items()
    return {
        one["metadata"]["name"]
        for one in of_kind(objects, "Deployment")
        if selector <= one["spec"]["template"]["metadata"]["labels"].items()
    }


def test_a_tier_differs_only_in_what_it_says(helm: Helm) -> None:
    plain = the(helm.render(tier(delayMs=480)), "Deployment")
    values = {"tiers": {"live": {"delayMs": 240}}}
    assert the(helm.render({**values, **tier(delayMs=480)}), "Deployment") == the(
        helm.render(tier(delayMs=240)), "Deployment"
    )
    assert the(helm.render(values), "Deployment") != plain


def test_a_tier_can_switch_off_what_all_have(helm: Helm) -> None:
    common = {"tolerations": [{"key": "a"}], "nodeSelector": {"a": "b"}, "profile": "l4"}
    own = {
        "disruptionBudget": {"enabled": False},
        "tolerations": [],
        "nodeSelector": {"a": None},
        "profile": "",
        "replicas": 0,
        "resources": {"limits": {"nvidia.com/gpu": None}},
    }
    objects = helm.render({**tier(**common), "tiers": {"off": own, "on": {}}})
    assert [one["metadata"]["name"] for one in of_kind(objects, "PodDisruptionBudget")] == [
        "speech-voxtide-on"
    ]
    off = the(objects, "Deployment", "speech-voxtide-off")
    assert off["spec"]["replicas"] == 0
    assert not {"tolerations", "nodeSelector"} & off["spec"]["template"]["spec"].keys()
    assert "--profile=l4" not in server_of(off)["args"]
    assert server_of(off)["resources"]["limits"] == {"memory": "24Gi"}
    on = the(objects, "Deployment", "speech-voxtide-on")
    assert {"tolerations", "nodeSelector"} <= on["spec"]["template"]["spec"].keys()
    assert "--profile=l4" in server_of(on)["args"]


def test_a_setting_of_one_tier_makes_only_its_pods_new(helm: Helm) -> None:
    before = helm.render({"tiers": {"a": {}, "b": {}}})
    after = helm.render({"tiers": {"a": {}, "b": {"config": {"idle_seconds": 9}}}})
    names = ("speech-voxtide-a", "speech-voxtide-b")
    changed = [name for name in names if checksum(before, name) != checksum(after, name)]
    assert changed == ["speech-voxtide-b"]


def test_settings_of_a_tier_win_over_those_of_all(helm: Helm) -> None:
    objects = helm.render(
        {
            "config": {"idle_seconds": 5, "page": True},
            "tiers": {"a": {"config": {"page": False}}, "b": {}},
        }
    )
    of_a, of_b = (settings(objects, f"speech-voxtide-{name}") for name in "ab")
    assert (of_a["idle_seconds"], of_a["page"]) == (5, False)
    assert (of_b["idle_seconds"], of_b["page"]) == (5, True)


def test_services_lead_to_their_pods(helm: Helm) -> None:
    objects = helm.render({"tiers": {"a": {}, "b": {}}, "service": {"port": 80}})
    assert chosen(objects, "speech-voxtide") == {"speech-voxtide-a", "speech-voxtide-b"}
    assert chosen(objects, "speech-voxtide-headless") == chosen(objects, "speech-voxtide")
    assert the(objects, "Service", "speech-voxtide-headless")["spec"]["clusterIP"] == "None"
    assert chosen(objects, "speech-voxtide-a") == {"speech-voxtide-a"}
    ports = {
        one["metadata"]["name"].removeprefix("speech-voxtide"): one["spec"]["ports"][0]["port"]
        for one in of_kind(objects, "Service")
    }
    assert ports == {"": 80, "-a": 80, "-b": 80, "-headless": 8000}  # pods listen on 8000


@pytest.mark.parametrize(
    ("replicas", "weight", "canaries"), [(3, 25, 1), (9, 10, 1), (6, 25, 2), (1, 50, 1)]
)
def test_without_a_gateway_the_weight_is_a_share_of_pods(
    helm: Helm, replicas: int, weight: int, canaries: int
) -> None:
    objects = helm.render(
        tier(replicas=replicas, canary={"enabled": True, "weight": weight, "imageTag": "2"})
    )
    assert the(objects, "Deployment", "speech-voxtide-live")["spec"]["replicas"] == replicas
    canary = the(objects, "Deployment", "speech-voxtide-live-canary")
    assert canary["spec"]["replicas"] == canaries
    both = {"speech-voxtide-live", "speech-voxtide-live-canary"}
    assert chosen(objects, "speech-voxtide-live") == both


def test_with_a_gateway_the_weight_is_the_routes(helm: Helm) -> None:
    objects = helm.render(
        {
            "httpRoute": {"enabled": True, "parentRefs": [{"name": "edge"}]},
            **tier(canary={"enabled": True, "weight": 5, "tier": {"delayMs": 240}}),
        }
    )
    (rule,) = the(objects, "HTTPRoute")["spec"]["rules"]
    weights = {chosen(objects, one["name"]).pop(): one["weight"] for one in rule["backendRefs"]}
    assert weights == {"speech-voxtide-live": 95, "speech-voxtide-live-canary": 5}
    assert all(len(chosen(objects, one["name"])) == 1 for one in rule["backendRefs"])


def test_a_canary_differs_only_in_what_it_says(helm: Helm) -> None:
    canary = {"enabled": True, "weight": 50, "tier": {"delayMs": 240, "config": {"page": True}}}
    canary["tier"]["nodeSelector"] = {"a": None}
    image = {"image": {"digest": "sha256:" + "0" * 64}}
    objects = helm.render({**image, **tier(canary=canary, nodeSelector={"a": "b", "c": "d"})})
    pod = the(objects, "Deployment", "speech-voxtide-live-canary")["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"c": "d"}
    stable, new = (
        server_of(the(objects, "Deployment", f"speech-voxtide-live{end}"))
        for end in ("", "-canary")
    )
    assert set(stable["args"]) ^ set(new["args"]) == {"--delay-ms=480", "--delay-ms=240"}
    assert stable["image"] == new["image"] == "voxtide@sha256:" + "0" * 64
    assert settings(objects, "speech-voxtide-live-canary")["page"] is True
    assert "page" not in settings(objects, "speech-voxtide-live")
    canary["imageTag"] = "next"
    tagged = helm.render({**image, **tier(canary=canary)})
    deployment = the(tagged, "Deployment", "speech-voxtide-live-canary")
    assert server_of(deployment)["image"] == "voxtide:next"


def test_a_canary_is_not_scaled_and_has_no_budget_of_its_own(helm: Helm) -> None:
    scaling = {"type": "keda", "prometheus": "http://prometheus", "minReplicas": 4}
    objects = helm.render(
        {
            "httpRoute": {"enabled": True, "parentRefs": [{"name": "edge"}]},
            **tier(canary={"enabled": True, "weight": 20}, autoscaling=scaling),
        }
    )
    assert "replicas" not in the(objects, "Deployment", "speech-voxtide-live")["spec"]
    assert the(objects, "Deployment", "speech-voxtide-live-canary")["spec"]["replicas"] == 1
    target = the(objects, "ScaledObject")["spec"]["scaleTargetRef"]["name"]
    assert target == "speech-voxtide-live"
    budget = the(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"]
    assert "voxtide/track" not in budget


@pytest.mark.parametrize("kind", ["hpa", "keda"])
def test_pods_come_at_once_and_go_slowly(helm: Helm, kind: str) -> None:
    scaling = {"type": kind, "prometheus": "http://prometheus", "target": 0.75}
    objects = helm.render(tier(autoscaling=scaling))
    if kind == "hpa":
        spec = the(objects, "HorizontalPodAutoscaler")["spec"]
        behavior = spec["behavior"]
        assert spec["metrics"][0]["pods"]["target"]["averageValue"] == "750m"
    else:
        spec = the(objects, "ScaledObject")["spec"]
        behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        assert spec["triggers"][0]["metadata"]["threshold"] == "0.75"
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert behavior["scaleDown"] == {
        "stabilizationWindowSeconds": 600,
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
    }


def test_hosts_lead_to_their_tier(helm: Helm) -> None:
    objects = helm.render(
        {
            "ingress": {"enabled": True, "tlsSecret": "tls"},
            "httpRoute": {"enabled": True, "parentRefs": [{"name": "edge"}]},
            "tiers": {"a": {"hosts": ["a.example", "x.example"]}, "b": {"hosts": ["b.example"]}},
        }
    )
    ingress = the(objects, "Ingress")["spec"]
    rules = {
        rule["host"]: rule["http"]["paths"][0]["backend"]["service"]["name"]
        for rule in ingress["rules"]
    }
    routes = {
        host: route["spec"]["rules"][0]["backendRefs"][0]["name"]
        for route in of_kind(objects, "HTTPRoute")
        for host in route["spec"]["hostnames"]
    }
    a, b = "speech-voxtide-a", "speech-voxtide-b"
    assert rules == routes == {"a.example": a, "x.example": a, "b.example": b}
    assert ingress["tls"] == [{"secretName": "tls", "hosts": list(rules)}]
