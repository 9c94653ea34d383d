"""Objects of what stands in front of the servers: the parts of them that ci/ uses.

Each as the project's own API reference defines it; Istio's are in a package.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

HttpStatus = Annotated[int, Field(ge=100, le=599)]


class Strict(BaseModel):
    """A part that has these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class _Parent(Strict):
    name: str
    namespace: str | None = None
    sectionName: str | None = None  # noqa: N815


class _Backend(Strict):
    name: str
    port: int = Field(ge=1, le=65535)
    weight: int = Field(1, ge=0, le=1_000_000)


class _Timeouts(Strict):
    request: str = Field(pattern=r"^([0-9]{1,5}(h|m|s|ms)){1,4}$")


class _Rule(Strict):
    timeouts: _Timeouts
    backendRefs: list[_Backend] = Field(min_length=1)  # noqa: N815


class _RouteSpec(Strict):
    parentRefs: list[_Parent] = Field(min_length=1)  # noqa: N815
    hostnames: list[str] | None = None
    rules: list[_Rule] = Field(min_length=1, max_length=16)


class HTTPRoute(Strict):
    """Gateway API, v1."""

    apiVersion: Literal["gateway.networking.k8s.io/v1"]  # noqa: N815
    kind: Literal["HTTPRoute"]
    metadata: dict[str, Any]
    spec: _RouteSpec


class _Target(Strict):
    group: Literal["gateway.networking.k8s.io"]
    kind: Literal["Gateway", "HTTPRoute"]
    name: str


class _Balancer(Strict):
    type: Literal["ConsistentHash", "LeastRequest", "Random", "RoundRobin"]


class _RetryOn(Strict):
    triggers: list[
        Literal["5xx", "connect-failure", "gateway-error", "reset", "retriable-status-codes"]
    ]
    httpStatusCodes: list[HttpStatus]  # noqa: N815


class _Retry(Strict):
    numRetries: int = Field(ge=0)  # noqa: N815
    retryOn: _RetryOn  # noqa: N815


class _PolicySpec(Strict):
    targetRefs: list[_Target] = Field(min_length=1, max_length=16)  # noqa: N815
    loadBalancer: _Balancer  # noqa: N815
    retry: _Retry


class BackendTrafficPolicy(Strict):
    """Envoy Gateway, v1alpha1."""

    apiVersion: Literal["gateway.envoyproxy.io/v1alpha1"]  # noqa: N815
    kind: Literal["BackendTrafficPolicy"]
    metadata: dict[str, Any]
    spec: _PolicySpec


class _Service(Strict):
    name: str
    port: int | str
    strategy: Literal["wrr", "p2c", "hrw", "leasttime"]


class _Route(Strict):
    kind: Literal["Rule"]
    match: str
    services: list[_Service]


class _Secret(Strict):
    secretName: str  # noqa: N815


class _IngressRouteSpec(Strict):
    entryPoints: list[str]  # noqa: N815
    routes: list[_Route]
    tls: _Secret


class IngressRoute(Strict):
    """Traefik, v1alpha1."""

    apiVersion: Literal["traefik.io/v1alpha1"]  # noqa: N815
    kind: Literal["IngressRoute"]
    metadata: dict[str, Any]
    spec: _IngressRouteSpec
