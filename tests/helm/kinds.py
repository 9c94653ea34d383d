"""Whether an object is what Kubernetes or an operator would take."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import kubernetes_validate
from cloudcoil.models.istio.networking.v1 import DestinationRule, VirtualService
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule, ServiceMonitor

from tests.helm.edge_kinds import BackendTrafficPolicy, HTTPRoute, IngressRoute

VERSIONS = ("1.35", "1.36", "1.37")
"""The three newest."""

_CUSTOM: dict[str, Any] = {
    model.__name__: model
    for model in (
        BackendTrafficPolicy,
        DestinationRule,
        HTTPRoute,
        IngressRoute,
        PodMonitor,
        PrometheusRule,
        ScaledObject,
        ServiceMonitor,
        VirtualService,
    )
}


def check(thing: dict[str, Any]) -> None:
    """Raise if an object is not valid in one of `VERSIONS`, or for its operator.

    The models of operators leave unknown fields aside: they are found by what is lost
    on the way through.
    """
    _check(json.dumps(thing))


@cache  # many files of values make the same objects
def _check(text: str) -> None:
    thing = json.loads(text)
    if thing["kind"] in _CUSTOM:
        model = _CUSTOM[thing["kind"]].model_validate(thing)
        assert model.model_dump(mode="json", by_alias=True, exclude_unset=True) == thing
    else:
        for version in VERSIONS:
            kubernetes_validate.validate(thing, version, strict=True)
