"""Fixtures: real Helm, of both major versions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.helm import binaries
from tests.helm.chart import Helm


@pytest.fixture(scope="session")
def helms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Helm]]:
    """Helm by major version."""
    folder = tmp_path_factory.mktemp("helm")
    yield {major: Helm(binaries.find(major, folder)) for major in binaries.MAJORS}
    shutil.rmtree(folder)  # 60 MB each


@pytest.fixture(scope="session")
def helm(helms: dict[int, Helm]) -> Helm:
    """The newest Helm."""
    return helms[max(helms)]
