"""What runs in the pods, with which rights, and how they end."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.chart import CI, Helm, Object, of_kind, pod_specs, server_of, settings, the
from voxtide_server import config, health, launcher

NODE = {"type": "hostPath", "hostPath": "/m"}

each = pytest.mark.parametrize(
    "values", CI, ids=lambda path: path.name.removesuffix("-values.yaml")
)


def tier(**values: Any) -> dict[str, Any]:
    """Values with these for all tiers."""
    return {"tier": values}


def environment(container: Object) -> dict[str, Any]:
    """Variables of a container: a text, or where it comes from."""
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}


def containers(spec: Object) -> list[Object]:
    return [*spec.get("initContainers", []), *spec["containers"]]


@each
def test_the_server_takes_its_arguments_and_its_settings(
    helm: Helm, values: Path, tmp_path: Path
) -> None:
    """And the time that a pod has to end is longer than all that happens in it."""
    objects = helm.render(values)
    for deployment in of_kind(objects, "Deployment"):
        server = server_of(deployment)
        args, _ = launcher.parse(server["args"])
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(settings(objects, deployment["metadata"]["name"])))
        taken = config.load({"VOXTIDE_CONFIG": str(file)})

        (shell, _, hook) = server["lifecycle"]["preStop"]["exec"]["command"]
        slept, drained = re.fullmatch(r"sleep (\d+); exec voxtide drain (.*)", hook).groups()
        assert shell == "/bin/sh"
        assert drained == f"--host {args.host} --port {args.port}"
        grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert grace > int(slept) + taken.drain_seconds + 5 + args.grace_seconds


def test_turns_have_as_long_to_end_as_a_session_may_last(helm: Helm) -> None:
    objects = helm.render({"config": {"session_seconds": 7200}})
    assert settings(objects, "speech-voxtide-live")["drain_seconds"] == 7200
    pod = the(objects, "Deployment")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == 15 + 7200 + 5 + 30 + 10
    shorter = helm.render({"config": {"session_seconds": 7200}, **tier(drain={"seconds": 0})})
    assert settings(shorter, "speech-voxtide-live")["drain_seconds"] == 0


def test_a_grace_period_of_ones_own(helm: Helm) -> None:
    pod = the(helm.render(tier(terminationGracePeriodSeconds=650)), "Deployment")
    assert pod["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 650


def test_large_numbers_stay_whole(helm: Helm) -> None:
    text = the(helm.render({"config": {"max_upload_bytes": 1 << 40}}), "ConfigMap")
    assert "max_upload_bytes: 1099511627776\n" in text["data"]["config.yaml"] + "\n"


def test_a_rollout_starts_before_it_stops(helm: Helm) -> None:
    spec = the(helm.render({}), "Deployment")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    startup = server_of(the(helm.render({}), "Deployment"))["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] == 600
    assert spec["progressDeadlineSeconds"] > 600


def test_probes_ask_routes_that_there_are(helm: Helm) -> None:
    server = server_of(the(helm.render({}), "Deployment"))
    asked = {
        server[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")
    }
    assert asked == {route.path for route in health.ROUTES}


def test_pods_have_limits_but_for_the_servers_cpu(helm: Helm) -> None:
    """A throttled server misses frames; whoever else is throttled is only later."""
    objects = helm.render({})
    deployment = the(objects, "Deployment")
    assert "cpu" not in server_of(deployment)["resources"]["limits"]
    fetch = deployment["spec"]["template"]["spec"]["initContainers"][0]
    test = the(objects, "Pod")["spec"]["containers"][0]
    assert {"cpu", "memory"} <= fetch["resources"]["limits"].keys()
    assert {"cpu", "memory"} <= test["resources"]["limits"].keys()


@each
def test_restricted_everywhere(helm: Helm, values: Path) -> None:
    """What PodSecurity's level `restricted` asks for, and a root file system that is only read."""
    objects = helm.render(values)
    for spec in pod_specs(objects):
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        volumes = {kind for volume in spec["volumes"] for kind in volume} - {"name"}
        assert values.name == "model-hostpath-values.yaml" or "hostPath" not in volumes
        for container in containers(spec):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"] is True
            assert {"requests", "limits"} <= container["resources"].keys()
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted <= {volume["name"] for volume in spec["volumes"]}
    assert not of_kind(objects, "Secret")


def test_secrets_are_only_named(helm: Helm) -> None:
    objects = helm.render(
        {
            "auth": {
                "key": {"existingSecret": "admin"},
                "keysFile": {"existingSecret": "keys", "entry": "keys.txt"},
                "signingSecret": {"existingSecret": "signing"},
            },
            "hub": {"token": {"existingSecret": "hub", "entry": "t"}},
        }
    )
    pod = the(objects, "Deployment")["spec"]["template"]["spec"]
    server = server_of(the(objects, "Deployment"))
    variables = environment(server)
    assert variables["VOXTIDE_KEY"] == {"secretKeyRef": {"name": "admin", "key": "key"}}
    signing = {"secretKeyRef": {"name": "signing", "key": "signing-secret"}}
    assert variables["VOXTIDE_SIGNING_SECRET"] == signing
    assert "HF_TOKEN" not in variables
    (fetch,) = pod["initContainers"]
    assert environment(fetch)["HF_TOKEN"] == {"secretKeyRef": {"name": "hub", "key": "t"}}
    (mount,) = (one for one in server["volumeMounts"] if one["name"] == "keys")
    file = settings(objects, "speech-voxtide-live")["keys_file"]
    assert file == f"{mount['mountPath']}/keys.txt"
    assert "subPath" not in mount  # a file of its own would not follow the Secret
    assert {"name": "keys", "secret": {"secretName": "keys"}} in pod["volumes"]


@pytest.mark.parametrize(
    ("values", "served", "volume", "fetches"),
    [
        ({"tier": {"model": "nano"}}, "nano", None, None),
        ({"tier": {"model": "/opt/m"}}, "/opt/m", None, None),
        ({"tier": {"model": "m", "modelImage": "i/m:1"}}, "/models", "image", None),
        ({"tier": {"model": "o/m", "revision": "r"}}, "/models/o--m/r", "emptyDir", "python3"),
        (
            {**tier(model="o/m", revision="r"), "modelCache": NODE},
            "/models/o--m/r",
            "hostPath",
            "python3",
        ),
        (
            {**tier(model="o/m", revision="0" * 40), "modelCache": {"type": "claim", "job": True}},
            f"/models/o--m/{'0' * 40}",
            "persistentVolumeClaim",
            "/bin/sh",
        ),
    ],
)  # fmt: skip
def test_where_the_model_is(
    helm: Helm, values: dict[str, Any], served: str, volume: str | None, fetches: str | None
) -> None:
    objects = helm.render(values)
    pod = the(objects, "Deployment")["spec"]["template"]["spec"]
    server = server_of(the(objects, "Deployment"))
    assert f"--model={served}" in server["args"]
    kinds = [kind for one in pod["volumes"] if one["name"] == "models" for kind in one]
    assert kinds == (["name", volume] if volume else [])
    commands = [one["command"][0] for one in pod.get("initContainers", [])]
    assert commands == ([fetches] if fetches else [])
    mounts = [one for one in server["volumeMounts"] if one["name"] == "models"]
    assert all(one["readOnly"] for one in mounts)
    assert bool(mounts) == bool(volume)


def test_clients_may_call_a_model_by_its_own_name(helm: Helm) -> None:
    def names(**values: Any) -> list[str] | None:
        given = server_of(the(helm.render(tier(**values)), "Deployment"))["args"]
        taken: list[str] | None = launcher.parse(given)[0].served_model_name
        return taken

    assert names(model="o/m") == ["o/m"]
    assert names(model="m", modelImage="i/m:1") == ["m"]
    assert names(model="nano") is None
    assert names(model="o/m", servedNames=["a", "b"]) == ["a", "b"]


def test_one_job_for_each_model(helm: Helm) -> None:
    def jobs(**tiers: dict[str, Any]) -> set[str]:
        values = {"modelCache": {"type": "claim", "job": True}, "tiers": tiers}
        objects = helm.render({**values, **tier(revision="0" * 40)})
        return {job["metadata"]["name"] for job in of_kind(objects, "Job")}

    one = jobs(a={}, b={"delayMs": 240}, c={"model": "nano"})
    assert len(one) == 1
    assert len(jobs(a={}, b={"model": "o/m"})) == 2
    assert jobs(a={"revision": "1" * 40}).isdisjoint(one)  # a Job cannot be changed


def test_who_may_talk_to_whom(helm: Helm) -> None:
    def ports(rules: list[Object]) -> set[Any]:
        return {port["port"] for rule in rules for port in rule["ports"]}

    def policy(values: dict[str, Any], name: str = "server") -> Object:
        return dict(the(helm.render(values), "NetworkPolicy", f"speech-voxtide-{name}")["spec"])

    job = {"modelCache": {"type": "claim", "job": True}, **tier(revision="0" * 40)}
    assert ports(policy({})["ingress"]) == {"http"}
    assert ports(policy({})["egress"]) == {53, 443}
    assert ports(policy(tier(model="nano"))["egress"]) == {53}
    assert ports(policy(job)["egress"]) == {53}
    assert ports(policy(job, "fetch")["egress"]) == {53, 443}
    assert policy(job, "fetch")["ingress"] == []
    assert policy({}, "test")["ingress"] == []
    assert ports(policy({}, "test")["egress"]) == {53, "http"}
    (to,) = policy({}, "test")["egress"][1]["to"]
    servers = to["podSelector"]["matchLabels"].items()
    pods = the(helm.render({}), "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert servers <= pods.items()

    peer = {"namespaceSelector": {"matchLabels": {"a": "b"}}}
    objects = helm.render({"networkPolicy": {"clients": [peer]}})
    (rule,) = the(objects, "NetworkPolicy", "speech-voxtide-server")["spec"]["ingress"]
    assert rule["from"][0] == peer
    test = rule["from"][1]["podSelector"]["matchLabels"].items()
    assert test <= the(objects, "Pod")["metadata"]["labels"].items()


def test_monitors_find_each_pod_once(helm: Helm) -> None:
    values = {"metrics": {"monitor": "service"}, "tiers": {"a": {}, "b": {}}}
    objects = helm.render(values)
    wanted = the(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    found = [
        one for one in of_kind(objects, "Service") if wanted <= one["metadata"]["labels"].items()
    ]
    assert [one["metadata"]["name"] for one in found] == ["speech-voxtide-headless"]
    objects = helm.render({**values, "metrics": {"monitor": "pod"}})
    wanted = the(objects, "PodMonitor")["spec"]["selector"]["matchLabels"].items()
    for deployment in of_kind(objects, "Deployment"):
        assert wanted <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert not wanted <= of_kind(objects, "Pod")[0]["metadata"]["labels"].items()


def test_rules_and_dashboard_are_the_charts_files(helm: Helm) -> None:
    on = {"enabled": True}
    objects = helm.render({"metrics": {"rules": on, "dashboard": on}})
    files = helm.chart / "files"
    rules = yaml.safe_load((files / "alerts.yaml").read_text(encoding="utf-8"))
    assert the(objects, "PrometheusRule")["spec"] == rules
    dashboard = the(objects, "ConfigMap", "speech-voxtide-dashboard")
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(dashboard["data"]["speech-voxtide.json"]) == json.loads(
        (files / "dashboard.json").read_text(encoding="utf-8")
    )


def test_links_of_alerts_lead_to_where_people_read(helm: Helm) -> None:
    def links(**rules: Any) -> dict[str, str]:
        made = helm.render({"metrics": {"rules": {"enabled": True, **rules}}})
        return {
            rule["alert"]: rule["annotations"]["runbook_url"]
            for group in the(made, "PrometheusRule")["spec"]["groups"]
            for rule in group["rules"]
            if "alert" in rule
        }

    there = "https://wiki.example/voxtide/runbooks"
    assert links()
    for alert, link in links().items():
        assert link == f"docs/runbooks.md#{alert.lower()}"
    for alert, link in links(runbooks=there).items():
        assert link == f"{there}#{alert.lower()}"
