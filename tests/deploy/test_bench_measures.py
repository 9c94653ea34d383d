"""What the benchmark makes of the processes of a server."""

from __future__ import annotations

from voxtide_server.bench.measures import _cpu, _memory
from voxtide_server.bench.servers import Usage


def test_a_server_on_a_gpu_has_no_worker_of_its_own() -> None:
    before = {"API server": Usage(1.0, 1 << 20), "engine core": Usage(2.0, 2 << 20)}
    after = {"API server": Usage(2.0, 3 << 20), "engine core": Usage(5.0, 4 << 20)}
    assert _cpu(before, after, 1000) == {
        "API server, CPU ms/frame": 1.0,
        "engine core, CPU ms/frame": 3.0,
    }
    assert _memory(after) == {"API server, MB": 3, "engine core, MB": 4}
