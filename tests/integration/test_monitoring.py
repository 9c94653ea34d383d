"""A real Prometheus beside a real server: its rules and the dashboard's queries, with data."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import Clip, Server
from tests.integration.live import SURE
from tests.monitoring.external import KUBERNETES
from tests.monitoring.rules import RULES, queries, rules
from voxtide import AsyncClient, Final

pytestmark = pytest.mark.integration

OCCUPANCY = "sum(voxtide_sessions) / sum(voxtide_sessions_capacity)"
"""What the autoscaler asks for."""

EMPTY = {
    "Audio by key": "the server asks nobody for a key",
}
"""Panels without data here, and why."""


SPEED = {
    "VoxtideTranscriptLag",
    "VoxtideTranscriptLagSlowBurn",
    "VoxtideWordLatency",
    "VoxtideWordLatencySlowBurn",
    "VoxtideFinalisation",
    "VoxtideFinalisationSlowBurn",
    "VoxtideStepDeadlineMisses",
}
"""Alerts that a slow machine may set off."""


@dataclass(frozen=True)
class Prometheus:
    """A running one."""

    client: httpx.AsyncClient

    async def get(self, path: str, **parameters: str) -> Any:
        answer = await self.client.get(f"/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, f"{parameters}: {answer.text}"
        return answer.json()["data"]

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples that an expression has now; one that is wrong fails the test."""
        return list((await self.get("query", query=expression))["result"])

    async def value(self, expression: str) -> float | None:
        samples = await self.query(expression)
        return float(samples[0]["value"][1]) if samples else None

    async def until(self, expression: str) -> None:
        """Wait until an expression has samples."""
        for _ in range(240):
            if await self.query(expression):
                return
            await asyncio.sleep(0.25)
        raise AssertionError(f"nothing for {expression}")


def settings(target: str) -> dict[str, Any]:
    """Of Prometheus: labels as the chart's scrape adds them, and rules that are quick."""
    labels = {"namespace": "speech", "tier": "fast", "pod": "fast-0"}
    targets = [{"targets": [target], "labels": labels}]
    scrape = {"job_name": "voxtide", "static_configs": targets}
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [scrape],
    }


@contextmanager
def scraping(target: str) -> Iterator[str]:
    """A Prometheus that scrapes a target each second; its URL."""
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
        probe.close()
        file, log = Path(folder) / "prometheus.yaml", Path(folder) / "log"
        file.write_text(yaml.safe_dump(settings(target)))
        flags = (f"--config.file={file}", f"--storage.tsdb.path={folder}/data")
        with log.open("w") as sink:
            command = ["prometheus", *flags, f"--web.listen-address={address}"]
            process = subprocess.Popen(command, stdout=sink, stderr=sink)
        try:
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(30)


@asynccontextmanager
async def watching(target: str) -> AsyncIterator[Prometheus]:
    """The same, from its first good scrape on."""
    with scraping(target) as url:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            while not await ready(client):
                await asyncio.sleep(0.1)
            watched = Prometheus(client)
            await watched.until("up == 1")
            yield watched


async def ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/-/ready")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
async def prometheus(server: Server) -> AsyncIterator[Prometheus]:
    async with watching(server.host) as watched:
        yield watched


async def speak(client: AsyncClient, clip: Clip) -> str:
    """A clip in real time, over a live session."""
    async with client.stream(clip.path, pace=1.0) as session:
        return " ".join([event.text async for event in session if isinstance(event, Final)])


async def load(server: Server, clips: list[Clip]) -> None:
    """Two rounds of three people who speak at once, and a file."""
    client = AsyncClient(server.base_url)
    sure = [clip for clip in clips if clip.path.stem in SURE]
    for _ in range(2):
        heard = await asyncio.gather(*(speak(client, clip) for clip in sure))
        assert heard == [clip.text for clip in sure]
    await client.transcribe(sure[0].path)


async def test_dashboard_and_rules_have_data_under_a_small_load(
    server: Server, clips: list[Clip], prometheus: Prometheus
) -> None:
    await load(server, clips)
    await prometheus.until('voxtide:late:ratio3d{objective="finalisation"}')
    await prometheus.until("rate(voxtide_finalisation_seconds_count[1m]) > 0")
    without = {panel for panel, query in queries() if not await prometheus.query(query)}
    assert without == set(EMPTY)
    for rule in rules("record"):
        assert await prometheus.query(rule["record"]), rule["record"]
    firing = {rule["alert"] for rule in rules("alert") if await prometheus.query(rule["expr"])}
    assert firing <= SPEED
    groups = (await prometheus.get("rules"))["groups"]
    told = [rule for group in groups for rule in group["rules"]]
    assert len(told) == len(rules("alert")) + len(rules("record"))
    assert {rule["health"] for rule in told} == {"ok"}, [r.get("lastError") for r in told]
    for name in KUBERNETES:
        assert not await prometheus.query(name), "there is no Kubernetes here"


async def test_what_the_autoscaler_looks_at_moves_with_sessions(
    server: Server, prometheus: Prometheus
) -> None:
    await prometheus.until(f"{OCCUPANCY} == 0")
    capacity = await prometheus.value("sum(voxtide_sessions_capacity)")
    assert capacity
    client = AsyncClient(server.base_url)
    async with AsyncExitStack() as sessions:
        for count in (1, 2, 3):
            await sessions.enter_async_context(client.stream())
            await prometheus.until(f"{OCCUPANCY} == {count} / {capacity}")
            await prometheus.until(f"voxtide:occupancy == {count} / {capacity}")
    await prometheus.until(f"{OCCUPANCY} == 0")
