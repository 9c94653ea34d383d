"""A rollout cuts nobody off: pods of the chart, as processes, behind real nginx and HAProxy.

nginx is told of ready pods as a cluster's controllers do it, HAProxy asks the pods itself.
The server that all tests share is the pod that stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.conftest import Clip, Server
from tests.fakes.ports import free_port
from tests.helm import binaries
from tests.helm.chart import Helm
from tests.integration import edges
from tests.integration.live import SURE, eventually, gauge
from tests.integration.pods import Pod, Template, kubelet, until_ready
from tests.integration.speakers import Caller, Files, OpenAi, Speaker, Voxtide

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

SESSIONS = 6
ROOM = 32
"""Sessions on the shared server."""
PROPAGATION_S = 3
CORE = max(os.sched_getaffinity(0))
VALUES = {
    "tier": {
        "model": "nano",
        "profile": "cpu",
        "resources": {"limits": {"nvidia.com/gpu": None}},
        "config": {"max_sessions": SESSIONS},
        # Less than it takes here: a pod that drains still gets new sessions for a while.
        "drain": {"propagationSeconds": 1, "seconds": 60},
        "probes": {"readiness": {"periodSeconds": 1}},
        # vLLM would bind all engines of a machine to the same core.
        "env": [{"name": "VLLM_CPU_OMP_THREADS_BIND", "value": f"{CORE}"}],
    }
}


class Cluster:
    """Two pods that will go, one that stays, and the proxies before them."""

    def __init__(self, pods: list[Pod], stays: Server, nginx: edges.Edge, haproxy: edges.Edge):
        self.pods = pods
        self.stays = stays
        self.edges = [nginx, haproxy]
        self._nginx = nginx
        self._leaving: set[Pod] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Probe the pods, and tell nginx of changes, as late as a large cluster does."""
        async with kubelet(self.pods):
            controller = asyncio.create_task(self._route())
            try:
                yield
            finally:
                controller.cancel()

    async def _route(self) -> None:
        known: list[str] = []
        while True:
            ready = [p.address for p in self.pods if p.ready and p not in self._leaving]
            if ready != known:
                await asyncio.sleep(PROPAGATION_S)
                self._nginx.route([*ready, self.stays.host])
                known = ready
            await asyncio.sleep(0.1)

    def leave(self, pod: Pod) -> None:
        """A pod that is deleted is no endpoint any more, whatever its probe says."""
        self._leaving.add(pod)


@pytest.fixture(scope="module")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    template = Template.rendered(Helm(binaries.find(4, folder)), VALUES)
    pods = [Pod(template, free_port(), folder / name) for name in "ab"]
    addresses = [*(pod.address for pod in pods), server.host]
    with contextlib.ExitStack() as stack:
        for pod in pods:
            stack.callback(pod.clean)
            pod.start()
        nginx, haproxy = (
            stack.enter_context(edges.running(name, folder, free_port(), addresses))
            for name in ("nginx", "haproxy")
        )
        yield Cluster(pods, server, nginx, haproxy)


@pytest.fixture
def sure(clips: list[Clip]) -> list[Clip]:
    return [clip for clip in clips if clip.path.stem in SURE]


@asynccontextmanager
async def speaking(cluster: Cluster, clips: list[Clip]) -> AsyncIterator[list[Speaker]]:
    """People speak through both proxies while the body runs, and end what they say."""
    over = asyncio.Event()
    chance = random.Random(7)
    speakers: list[Speaker] = []
    async with asyncio.TaskGroup() as tasks:
        for edge in cluster.edges:
            for kind in (Voxtide, Voxtide, OpenAi, Files, Caller):
                one = kind(chance.sample(clips, len(clips)), over)
                tasks.create_task(one.speak(edge.base_url))
                speakers.append(one)
        yield speakers
        over.set()


async def inside(server: Server) -> float:
    """Live sessions."""
    return await gauge(server, "voxtide_sessions")


async def test_sessions_go_where_the_fewest_are_and_past_full_pods(cluster: Cluster) -> None:
    servers = [*(pod.server for pod in cluster.pods), cluster.stays]
    async with cluster.running(), contextlib.AsyncExitStack() as stack:
        await _all_ready(cluster.pods)
        for _ in range(SESSIONS // 2):
            for edge in cluster.edges:
                for _ in servers:
                    await stack.enter_async_context(connect(_live(edge), ping_interval=None))
        live = [await inside(server) for server in servers]
        assert sum(live) == 3 * SESSIONS
        assert max(live) - min(live) <= 2  # each proxy knows of its own alone
        nginx, _ = cluster.edges  # it tries each server once, HAProxy those with few sessions again
        for _ in range(ROOM - SESSIONS):
            await stack.enter_async_context(connect(_live(nginx), ping_interval=None))
        assert [await inside(server) for server in servers] == [SESSIONS, SESSIONS, ROOM]
        for edge in cluster.edges:
            with pytest.raises(InvalidStatus) as refused:
                async with connect(_live(edge)):
                    pass
            assert refused.value.response.status_code == 503
            assert float(refused.value.response.headers["retry-after"]) > 0
        await stack.aclose()
        for server in servers:
            await eventually(server, "voxtide_sessions", 0)


async def test_a_killed_pod_costs_no_word(cluster: Cluster, sure: list[Clip]) -> None:
    killed = cluster.pods[0]
    async with cluster.running():
        await _all_ready(cluster.pods)
        async with speaking(cluster, sure) as speakers:
            await _all_have_heard_more(speakers)
            assert await inside(killed.server) > 0
            killed.kill()
            await _all_have_heard_more(speakers)
    _nothing_is_missing(speakers)
    # Without a bound: on a starved machine a client may take other servers for dead, too.
    assert sum(one.resumes for one in speakers) > 0
    assert {code for one in speakers for code in one.closes} <= {1006}


async def test_a_rollout_costs_no_word(cluster: Cluster, sure: list[Clip]) -> None:
    """The new pod is ready (maxSurge 1, maxUnavailable 0); the old one is deleted."""
    old = cluster.pods[1]
    async with cluster.running():
        await _all_ready([old])
        async with speaking(cluster, sure) as speakers:
            await _all_have_heard_more(speakers)
            assert await inside(old.server) > 0
            cluster.leave(old)
            end = await old.delete()
            await _all_have_heard_more(speakers)
    _nothing_is_missing(speakers)
    assert (end.exit_code, end.killed) == (0, False)
    assert sum(one.resumes for one in speakers) > 0
    assert {code for one in speakers for code in one.closes} <= {1012}


async def _all_ready(pods: list[Pod]) -> None:
    await asyncio.gather(*(until_ready(pod) for pod in pods))
    await asyncio.sleep(2 * PROPAGATION_S)  # until both proxies know


def _live(edge: edges.Edge) -> str:
    return f"ws://{edge.host}/v1/realtime?intent=transcription"


async def _all_have_heard_more(speakers: list[Speaker]) -> None:
    """Each has had a whole turn since now."""
    wanted = [len(one.heard) + 2 if one.heard else 1 for one in speakers]
    for _ in range(1500):
        if all(len(one.heard) >= n for one, n in zip(speakers, wanted, strict=True)):
            return
        await asyncio.sleep(0.2)
    counts = [(type(one).__name__, len(one.said), len(one.heard)) for one in speakers]
    raise AssertionError(f"not enough turns of each (said, heard): {counts}")


def _nothing_is_missing(speakers: list[Speaker]) -> None:
    for one in speakers:
        assert one.said
        assert one.heard == one.said, type(one).__name__
