"""What a container is, made of Linux's own parts, for machines that have no engine for them.

Namespaces of mounts, processes and the network; a root that is only read, with this machine's
programs at their own paths; a user without rights; a small environment. It takes root's rights.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SYSTEM = ("/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/sys", "/dev")
# Places begin with r, to be read, or with w: empty, the user's own, and gone in the end.
_START = r"""
set -eu
root=$1 uid=$2 gid=$3 places=$4; shift 4
ip link set lo up
mount -t tmpfs -o mode=755 none "$root"
mkdir "$root/proc"
mount -t proc none "$root/proc"
for place in $places; do
  path=${place#?}
  if [ -L "$path" ]; then cp -P "$path" "$root$path"; continue; fi
  mkdir -p "$root$path"
  case $place in
    r*) mount --bind -o ro "$path" "$root$path" ;;
    w*) mount -t tmpfs -o "mode=755,uid=$uid,gid=$gid" none "$root$path" ;;
  esac
done
mount -o remount,ro "$root"
cd /
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class Running:
    """A container in which process 1 runs.

    Attributes:
        process: of the machine's side; it ends with process 1, and with its exit code.
        log: what process 1 wrote to standard error.
    """

    process: subprocess.Popen[str]
    log: Path
    _inside: Sequence[str]

    def line(self) -> str:
        """The next line of process 1's standard output; empty when it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command beside process 1, as the same user, as `docker exec` does."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        target = f"--target={children.read_text().strip()}"
        spaces = (target, "--mount", "--pid", "--net", "--root", "--wd")
        whole = ["nsenter", *spaces, *self._inside, *command]
        return subprocess.run(whole, capture_output=True, text=True, timeout=120, check=False)


@contextmanager
def container(
    command: Sequence[str],
    *,
    user: str,
    env: Mapping[str, str],
    writable: Sequence[str],
    programs: Sequence[str],
    folder: Path,
) -> Iterator[Running]:
    """Start one; whatever still runs in the end is killed.

    Args:
        command: process 1.
        user: UID:GID.
        env: the whole environment.
        writable: folders that can be written to, empty at first.
        programs: folders of this machine to be seen, beside the system's own.
        folder: for the log, and for what the root is mounted on.
    """
    uid, gid = user.split(":")
    rights = ("--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all")
    variables = [f"{name}={value}" for name, value in env.items()]
    inside = ["setpriv", f"--reuid={uid}", f"--regid={gid}", *rights, "env", "-i", *variables]
    there = [f"r{path}" for path in _SYSTEM if os.path.exists(path)]
    places = " ".join([*there, *(f"w{p}" for p in writable), *(f"r{p}" for p in programs)])
    root, log = folder / "root", folder / "log"
    root.mkdir()
    spaces = ("--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child")
    start = ["unshare", *spaces, "sh", "-c", _START, "sh", str(root), uid, gid, places]
    with log.open("w") as sink:
        process = subprocess.Popen(
            [*start, *inside, *command], stdout=subprocess.PIPE, stderr=sink, text=True
        )
    assert process.stdout is not None
    with process.stdout:
        try:
            yield Running(process, log, inside)
        finally:
            process.kill()
            process.wait()
