"""What stands in front: balancing by open sessions, and another pod where one is full."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.helm.chart import CHART, Helm, Object, of_kind, the

TIER = "speech-voxtide-live"
# The ones that go round in a circle have no way to count sessions.
INGRESSES = {
    "ingress": ("nginx.ingress.kubernetes.io/proxy-next-upstream", None),
    "ingress-f5-nginx": ("nginx.org/proxy-next-upstream", ("nginx.org/lb-method", "least_conn")),
    "ingress-haproxy": (
        "haproxy.org/backend-config-snippet",
        ("haproxy.org/load-balance", "leastconn"),
    ),
}


def example(helm: Helm, name: str) -> list[Object]:
    """What a file of ci/ makes."""
    return helm.render(CHART / "ci" / f"{name}-values.yaml")


@pytest.mark.parametrize("name", INGRESSES)
def test_ingresses_count_sessions_and_leave_a_full_pod(helm: Helm, name: str) -> None:
    retry, balance = INGRESSES[name]
    annotations = the(example(helm, name), "Ingress")["metadata"]["annotations"]
    assert "503" in annotations[retry]
    if balance:
        assert annotations[balance[0]] == balance[1]


def test_f5s_controller_is_told_a_service_that_there_is(helm: Helm) -> None:
    objects = example(helm, "ingress-f5-nginx")
    ingress = the(objects, "Ingress")
    services = ingress["metadata"]["annotations"]["nginx.org/websocket-services"].split(",")
    (rule,) = ingress["spec"]["rules"]
    assert services == [rule["http"]["paths"][0]["backend"]["service"]["name"]]
    assert all(of_kind(objects, "Service", name) for name in services)


def test_policies_are_about_what_there_is(helm: Helm) -> None:
    objects = example(helm, "envoy-gateway")
    policy = the(objects, "BackendTrafficPolicy")["spec"]
    assert policy["targetRefs"][0]["name"] == the(objects, "HTTPRoute")["metadata"]["name"]
    assert policy["loadBalancer"] == {"type": "LeastRequest"}
    # Envoy looks at the codes only where this trigger is named.
    assert "retriable-status-codes" in policy["retry"]["retryOn"]["triggers"]

    rule = the(example(helm, "istio"), "DestinationRule")["spec"]
    assert rule == {
        "host": TIER,
        "trafficPolicy": {"loadBalancer": {"simple": "LEAST_REQUEST"}},
    }
    (route,) = the(example(helm, "istio"), "VirtualService")["spec"]["http"]
    assert route["route"] == [{"destination": {"host": TIER}}]
    assert route["timeout"] == "0s"

    objects = example(helm, "traefik")
    (route,) = the(objects, "IngressRoute")["spec"]["routes"]
    (service,) = route["services"]
    assert service == {"name": TIER, "port": "http", "strategy": "p2c"}
    assert of_kind(objects, "Service", TIER)


@pytest.mark.parametrize(
    ("ready_when_full", "policy"),
    [(None, "AlwaysAllow"), (True, "AlwaysAllow"), (False, "IfHealthyBudget")],
)
def test_a_full_pod_is_not_a_broken_one(
    helm: Helm, ready_when_full: bool | None, policy: str
) -> None:
    """One that says it is not ready must not be taken for one that may go at any time."""
    config: dict[str, Any] = {} if ready_when_full is None else {"ready_when_full": ready_when_full}
    budget = the(helm.render({"config": config}), "PodDisruptionBudget")
    assert budget["spec"]["unhealthyPodEvictionPolicy"] == policy


def test_each_example_is_in_the_document() -> None:
    text = (Path(__file__).parents[2] / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    for name in (*INGRESSES, "envoy-gateway", "istio", "traefik"):
        assert f"ci/{name}-values.yaml" in text
