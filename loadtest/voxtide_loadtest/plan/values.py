"""The plan as values of the Helm chart (helm/voxtide/values.yaml)."""

from typing import Any, Literal

import yaml

from .sizing import Sizing

Scaler = Literal["keda", "hpa"]


def values(sizing: Sizing, scaler: Scaler, prometheus: str) -> dict[str, Any]:
    """What differs from the chart's own values, under `tier`.

    Args:
        scaler: what scales: KEDA, or the autoscaler with a custom metric.
        prometheus: address that KEDA asks.

    `max_sessions` is the capacity that was planned with: a server that lets in more, or fewer,
    makes another plan of it.
    """
    fleet, settings = sizing.fleet, sizing.settings
    autoscaling: dict[str, Any] = {
        "type": scaler,
        "minReplicas": settings.min_replicas,
        "maxReplicas": settings.max_replicas,
        "target": settings.target,
        "scaleDownAfterSeconds": settings.down_after,
        "podsPerMinute": {"down": settings.down, "up": settings.up},
    }
    if scaler == "keda":
        autoscaling["prometheus"] = prometheus
    tier: dict[str, Any] = {
        "config": {"max_sessions": fleet.sessions},
        "autoscaling": autoscaling,
        "rollout": {
            "maxSurge": fleet.max_surge,
            "maxUnavailable": 0 if fleet.max_surge else 1,
        },
        "drain": {"seconds": round(fleet.drain_seconds)},
    }
    if fleet.gpus != 1:
        tier["resources"] = {"limits": {"nvidia.com/gpu": fleet.gpus}}
    return {"tier": tier}


def snippet(given: dict[str, Any]) -> str:
    """The values as YAML."""
    return yaml.safe_dump(given, sort_keys=False)
