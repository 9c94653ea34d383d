"""What vLLM loads in each of its processes (entry point `vllm.general_plugins`).

Changes of vLLM's own classes, all of them here and in the two modules named, each
for the releases in `versions.SUPPORTED` only:

    EngineCore.voxtide_tick               the way in for streams          scheduler
    GPUModelRunner._update_states         their way to the model          worker
    VoxtralRealtimeGeneration, 2 methods  mixed batches, batched frames   model
"""

from __future__ import annotations

import os

from .. import versions
from ..logs import logger


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
    from vllm.v1.engine.core import EngineCore

    from . import model, scheduler, ticks, worker

    setattr(EngineCore, ticks.UTILITY, scheduler.take_tick)
    worker.install()
    model.install()
