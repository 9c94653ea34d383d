"""Write anew what Helm makes of some files of values.

python -m tests.helm.rendered
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.helm import binaries
from tests.helm.chart import CHART, Helm

EXAMPLES = ("nano", "tiers", "httproute-canary")


def path_of(name: str) -> Path:
    """Where the manifests of an example are kept."""
    return Path(__file__).parent / "rendered" / f"{name}.yaml"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as _folder:
        _helm = Helm(binaries.find(max(binaries.MAJORS), Path(_folder)))
        for _name in EXAMPLES:
            _text = _helm.text(CHART / "ci" / f"{_name}-values.yaml")
            path_of(_name).write_text(_text, encoding="utf-8")
