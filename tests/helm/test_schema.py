"""values.schema.json says what values.yaml and the server say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.helm.chart import CHART, VALUES, Helm, RenderError
from voxtide_server import checkpoint, profiles
from voxtide_server.config import Config

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
# Free-form: what Kubernetes takes there.
FREE = {
    "affinity", "annotations", "labels", "nodeSelector", "podAnnotations", "podLabels",
    "podSecurityContext", "resources", "securityContext",
}  # fmt: skip
OF_THE_CHART = {"key", "keys_file", "signing_secret", "drain_seconds"}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema, or the one that it refers to."""
    name = schema.get("$ref", "").removeprefix("#/definitions/")
    return dict(SCHEMA["definitions"][name]) if name else schema


def differences(values: dict[str, Any], schema: dict[str, Any], at: str = "") -> list[str]:
    """Keys of values that the schema does not have, or the other way round."""
    properties = resolved(schema)["properties"]
    found = [f"{at}{key}" for key in values.keys() ^ properties.keys()]
    for key in values.keys() & properties.keys():
        if isinstance(values[key], dict) and values[key] and key not in FREE:
            if key in ("startup", "readiness", "liveness"):  # may have more fields
                found += [
                    f"{at}{key}.{one}"
                    for one in values[key].keys() - resolved(properties[key])["properties"].keys()
                ]
            else:
                found += differences(values[key], properties[key], f"{at}{key}.")
    return found


def test_the_values_and_their_schema_have_the_same_keys() -> None:
    assert differences(VALUES, SCHEMA) == ["global"]  # Helm's own, for charts in charts


def test_nothing_unknown_is_let_through() -> None:
    def objects(schema: Any) -> list[dict[str, Any]]:
        if isinstance(schema, list):
            return [found for one in schema for found in objects(one)]
        if not isinstance(schema, dict):
            return []
        deeper = [found for one in schema.values() for found in objects(one)]
        return deeper + ([schema] if "object" in schema.get("type", ()) else [])

    for schema in objects(SCHEMA):
        if "properties" in schema and "required" not in schema:  # `env` has Kubernetes' fields
            assert schema["additionalProperties"] is False


def test_settings_are_the_servers() -> None:
    settings = Config.model_json_schema()["properties"]
    listed = SCHEMA["definitions"]["config"]["properties"]
    assert listed.keys() == settings.keys() - OF_THE_CHART
    for name, schema in listed.items():
        (kind,) = (
            one for one in settings[name].get("anyOf", [settings[name]]) if one["type"] != "null"
        )
        assert schema == {key: kind[key] for key in LIMITS if key in kind}, name


LIMITS = ("type", "minimum", "maximum", "exclusiveMinimum")


def test_profiles_are_the_servers() -> None:
    tier = SCHEMA["definitions"]["tier"]["properties"]
    assert tier["profile"]["enum"] == ["", *profiles.names()]


@pytest.mark.parametrize("delay", [0, 40, 80, 300, 400, 1200, 1280, 2400, 2480])
def test_delays_are_the_servers(helm: Helm, delay: int) -> None:
    if delay in checkpoint.DELAYS_MS:
        helm.render({"tier": {"delayMs": delay}})
    else:
        assert "delayMs" in refused(helm, {"tier": {"delayMs": delay}})


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a typing error": ({"tier": {"replica": 2}}, "replica"),
    "one in a tier": ({"tiers": {"fast": {"delay": 240}}}, "delay"),
    "one in a canary": ({"tier": {"canary": {"tier": {"delay": 240}}}}, "delay"),
    "one at the top": ({"tirs": {}}, "tirs"),
    "a setting that is the chart's": ({"config": {"drain_seconds": 5}}, "drain_seconds"),
    "a secret in plain text": ({"config": {"key": "x"}}, "key"),
    "a setting out of range": ({"config": {"backlog_seconds": 0}}, "backlog_seconds"),
    "no pods": ({"tier": {"autoscaling": {"minReplicas": 0}}}, "minReplicas"),
    "more than all": ({"tier": {"canary": {"weight": 100}}}, "weight"),
    "a name that is taken": ({"tiers": {"headless": {}}}, "headless"),
    "a name like a canary's": ({"tiers": {"a-canary": {}}}, "a-canary"),
    "a name that is no name": ({"tiers": {"Fast_One": {}}}, "Fast_One"),
    "no digest": ({"image": {"digest": "sha256:0"}}, "digest"),
    "runbooks that are no address": (
        {"metrics": {"rules": {"runbooks": "docs/runbooks.md"}}},
        "runbooks",
    ),
    "a version as a number": ({"image": {"tag": 1.2}}, "tag"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_values_are_named(helms: dict[int, Helm], what: str) -> None:
    values, name = WRONG[what]
    for helm in helms.values():
        assert name in refused(helm, values)


def refused(helm: Helm, values: dict[str, Any]) -> str:
    """What Helm says about values that the schema does not allow."""
    with pytest.raises(RenderError, match="values don't meet the specifications") as error:
        helm.render(values)
    return str(error.value)
