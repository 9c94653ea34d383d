"""Whether an object is what Kubernetes or an operator would take."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Literal

import kubernetes_validate
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule, ServiceMonitor
from pydantic import BaseModel, ConfigDict, Field

VERSIONS = ("1.35", "1.36", "1.37")
"""The three newest."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Parent(_Strict):
    name: str
    namespace: str | None = None
    sectionName: str | None = None  # noqa: N815


class _Backend(_Strict):
    name: str
    port: int = Field(ge=1, le=65535)
    weight: int = Field(1, ge=0, le=1_000_000)


class _Timeouts(_Strict):
    request: str = Field(pattern=r"^([0-9]{1,5}(h|m|s|ms)){1,4}$")


class _Rule(_Strict):
    timeouts: _Timeouts
    backendRefs: list[_Backend] = Field(min_length=1)  # noqa: N815


class _RouteSpec(_Strict):
    parentRefs: list[_Parent] = Field(min_length=1)  # noqa: N815
    hostnames: list[str] | None = None
    rules: list[_Rule] = Field(min_length=1, max_length=16)


class HTTPRoute(_Strict):
    """The part of a route that the chart uses, as the Gateway API (v1) defines it."""

    apiVersion: Literal["gateway.networking.k8s.io/v1"]  # noqa: N815
    kind: Literal["HTTPRoute"]
    metadata: dict[str, Any]
    spec: _RouteSpec


_CUSTOM: dict[str, Any] = {
    model.__name__: model
    for model in (HTTPRoute, PodMonitor, PrometheusRule, ScaledObject, ServiceMonitor)
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
