"""nano's recipe runs on torch, which comes with vLLM: these are no unit tests."""

from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; pytest calls this with those of all folders."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)
