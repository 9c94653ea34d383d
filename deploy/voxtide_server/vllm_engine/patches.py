"""What vLLM loads in each of its processes (entry point `vllm.general_plugins`).

Changes of vLLM's own classes, all of them here and in the two modules named, each
for the releases in `versions.SUPPORTED` only:

    EngineCore.voxtide_tick               the way in for streams          scheduler
    GPUModelRunner._update_states         their way to the model          worker
    VoxtralRealtimeGeneration, 2 methods  mixed batches, batched frames   model
    get_mp_context of the engine core     forked on CPU, not spawned      here
    sched_yield of engine core, worker    a nap on CPU instead of a spin  here
    create_onednn_mm of the worker        few primitives on CPU           here

And what is free in the heaps of these processes goes back to the system (`heap`).
"""

from __future__ import annotations

import multiprocessing
import os
import time

from .. import versions
from ..logs import logger

_CONTEXT = "get_mp_context"
_YIELD = "sched_yield"
_MAKE = "create_onednn_mm"
_PRIMITIVES = 4
_NAP_S = 0.0005


def install() -> None:
    """Make the changes, or say in one line what it costs that they are not made."""
    # vLLM loads plugins of this kind unasked; ours is meant where its routes are.
    if "voxtide" not in os.environ.get("VLLM_PLUGINS", "").split(","):
        return
    try:
        versions.check(versions.installed() or "of unknown version")
    except versions.UnsupportedVersion as error:
        logger.warning(
            "%s: vLLM stays as it is, so the cost of a frame grows with the age of its stream, "
            "and a batch that mixes live audio with other requests can kill the engine",
            error,
        )
        return
    from vllm.platforms import current_platform
    from vllm.v1.engine.core import EngineCore

    from . import heap, model, scheduler, ticks, worker

    setattr(EngineCore, ticks.UTILITY, scheduler.take_tick)
    worker.install()
    model.install()
    heap.keep_small()
    if current_platform.is_cpu():
        fork_engine_core()
        wait_asleep()
        keep_few_primitives()


def fork_engine_core() -> None:
    """Let the engine core begin as a copy of the API server, as on GPUs.

    vLLM spawns everything on CPU, so that a process that computes reads how many threads
    of OpenMP it gets. The engine core computes nothing, and importing vLLM once more takes
    longer than anything else at the start of nano. The worker is spawned as before.
    """
    from vllm.v1.engine import utils

    setattr(utils, _CONTEXT, lambda: multiprocessing.get_context("fork"))


def wait_asleep() -> None:
    """Let engine core and worker sleep a little between two looks for a message.

    For a second after each message vLLM lets both spin, which saves microseconds where every
    process has a core. A live stream brings a frame every 80 ms: both would take a whole core
    as long as anybody speaks, and on a small machine each other's time. To wait for vLLM's own
    notification alone does not do: then 15 s of speech took 97 s, presumably since one is lost
    where two follow each other closely (the socket that they go through keeps only one).
    """
    from vllm.distributed.device_communicators import shm_broadcast

    setattr(shm_broadcast, _YIELD, lambda: time.sleep(_NAP_S))


def keep_few_primitives() -> None:
    """Let a layer keep oneDNN's code for 4 numbers of rows, not for 32.

    A primitive of oneDNN is made for a layer and a number of rows and takes 0.3 to 0.6 MB. There
    are as many numbers of rows as mixes of streams, so the worker's memory would grow for hours.
    oneDNN has a cache of its own behind this one, from which another is made quickly; the profile
    `cpu` bounds it, too. What it saves and costs: docs/benchmarks.md, "float32 on a CPU".
    """
    from vllm import _custom_ops

    make = getattr(_custom_ops, _MAKE)
    setattr(_custom_ops, _MAKE, lambda weight, _: make(weight, _PRIMITIVES))
