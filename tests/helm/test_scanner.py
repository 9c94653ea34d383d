"""What checkov finds in what ci/ makes is what the chart's README.md says that it finds."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.helm.chart import CHART, CI, Helm

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(CKV\w+)` \| ([\w, ]+) \|", re.MULTILINE)


@pytest.mark.integration
def test_the_readme_has_every_finding_and_no_other(helm: Helm, tmp_path: Path) -> None:
    for values in CI:
        (tmp_path / values.name).write_text(helm.text(values), encoding="utf-8")
    results = _scan(tmp_path)["results"]
    assert len(results["failed_checks"]) > len(CI)  # it did look at them
    found: dict[str, set[str]] = {}
    for finding in results["failed_checks"]:
        kind, *_ = finding["resource"].split(".")
        found.setdefault(finding["check_id"], set()).add(kind)
    readme = (CHART / "README.md").read_text(encoding="utf-8")
    assert found == {check: set(kinds.split(", ")) for check, kinds in ROW.findall(readme)}


def _scan(folder: Path) -> dict[str, Any]:
    checkov = ROOT / ".venv-checkov" / "bin" / "checkov"
    if not checkov.exists():
        pytest.fail("There is no checkov: `make .venv-checkov/.done` installs it.")
    command = [str(checkov), "--directory", str(folder), "--framework", "kubernetes"]
    flags = ["--skip-download", "--quiet", "--compact", "--output", "json", "--soft-fail"]
    done = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))
