"""What Kubernetes does with the chart's pods, done with processes on loopback."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from tests.conftest import Server
from tests.helm.chart import Helm, Object, server_of, settings, the


@dataclass(frozen=True)
class Template:
    """What the chart says of a tier's pods.

    Attributes:
        container: the one that serves.
        config: the server's settings.
        grace_s: terminationGracePeriodSeconds.
    """

    container: Object
    config: dict[str, Any]
    grace_s: float

    @classmethod
    def rendered(cls, helm: Helm, values: dict[str, Any]) -> Template:
        """Of the tier `live`, by real Helm."""
        objects = helm.render(values)
        name = "speech-voxtide-live"
        deployment = the(objects, "Deployment", name)
        grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        return cls(server_of(deployment), settings(objects, name), grace)


@dataclass(frozen=True)
class End:
    """How a pod ended.

    Attributes:
        exit_code: of its process; negative: the signal that killed it.
        killed: whether its grace period was over before it had ended.
    """

    exit_code: int
    killed: bool


class Pod:
    """A server as the kubelet runs it, but for its port, its folders and loopback.

    Attributes:
        address: HOST:PORT.
        ready: what the readiness probe said last.
    """

    def __init__(self, template: Template, port: int, folder: Path) -> None:
        self.address = f"127.0.0.1:{port}"
        self.ready = False
        self._template = template
        self._folder = folder
        folder.mkdir()
        (folder / "config.yaml").write_text(yaml.safe_dump(template.config))
        self._here = {
            "/etc/voxtide/config": str(folder),
            "/cache": str(folder),
            "0.0.0.0": "127.0.0.1",
            "8000": str(port),
        }
        self._env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "XDG_RUNTIME_DIR": str(folder),
            **{one["name"]: self._local(one["value"]) for one in template.container["env"]},
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was never started"
        return self._process

    @property
    def server(self) -> Server:
        """It, as other tests have servers."""
        return Server(f"http://{self.address}/v1", self._folder / "log", self.process)  # type: ignore[arg-type]

    def start(self) -> None:
        """Start its container, also again after it was killed."""
        container = self._template.container
        command = [self._local(word) for word in container["command"] + container["args"]]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._env, stdout=log, stderr=log, start_new_session=True
            )

    async def probe(self) -> None:
        """Ask whether it is ready, as often as the chart says, for ever."""
        probe = self._template.container["readinessProbe"]
        url = f"http://{self.address}{probe['httpGet']['path']}"
        failures = 0
        async with httpx.AsyncClient(timeout=probe["timeoutSeconds"]) as client:
            while True:
                try:
                    good = (await client.get(url)).is_success
                except httpx.HTTPError:
                    good = False
                failures = 0 if good else failures + 1
                self.ready = good or (self.ready and failures < probe["failureThreshold"])
                await asyncio.sleep(probe["periodSeconds"])

    async def delete(self) -> End:
        """preStop, SIGTERM, SIGKILL once the grace period is over; all within it."""
        try:
            async with asyncio.timeout(self._template.grace_s):
                await self._pre_stop()
                with suppress(ProcessLookupError):
                    self.process.send_signal(signal.SIGTERM)
                return End(await asyncio.to_thread(self.process.wait), killed=False)
        except TimeoutError:
            self.kill()
            return End(self.process.wait(), killed=True)

    async def _pre_stop(self) -> None:
        command = self._template.container["lifecycle"]["preStop"]["exec"]["command"]
        hook = await asyncio.create_subprocess_exec(
            *(self._local(word) for word in command), env=self._env
        )
        try:
            await hook.wait()
        finally:
            if hook.returncode is None:  # the grace period is over, or the test has failed
                hook.kill()
                await hook.wait()

    def kill(self) -> None:
        """The node's memory is full, or its power is gone: nobody is told anything."""
        launcher = psutil.Process(self.process.pid)
        for one in [launcher, *launcher.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.wait()
        self.ready = False

    def clean(self) -> None:
        """Leave no process behind."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _local(self, text: str) -> str:
        for there, here in self._here.items():
            text = text.replace(there, here)
        return text


@asynccontextmanager
async def kubelet(pods: list[Pod]) -> AsyncIterator[None]:
    """Probe pods while the body runs."""
    async with asyncio.TaskGroup() as tasks:
        probes = [tasks.create_task(pod.probe()) for pod in pods]
        try:
            yield
        finally:
            for one in probes:
                one.cancel()


async def until_ready(pod: Pod, seconds: float = 600) -> None:
    """Wait for a pod's readiness probe."""
    async with asyncio.timeout(seconds):
        while not pod.ready:
            assert pod.process.poll() is None, pod.server.log.read_text()[-4000:]
            await asyncio.sleep(0.2)
