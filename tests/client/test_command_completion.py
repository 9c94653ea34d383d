"""`voxtide completion`."""

import os
import stat
import subprocess
import sys

import pytest
from click.testing import CliRunner

from voxtide.command import main

WAYS = {"bash": "bash_complete", "zsh": "zsh_complete", "fish": "fish_complete"}


@pytest.mark.parametrize("shell", WAYS)
def test_the_script_asks_the_command_in_the_shells_way(shell):
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert f"_VOXTIDE_COMPLETE={WAYS[shell]}" in result.stdout


@pytest.mark.parametrize("way", WAYS.values())
def test_the_command_answers_in_each_way(way):
    words = {"COMP_WORDS": "voxtide tran", "COMP_CWORD": "1" if way != "fish_complete" else "tran"}
    result = subprocess.run(
        [sys.executable, "-m", "voxtide"],
        env=os.environ | words | {"_VOXTIDE_COMPLETE": way},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "transcribe" in result.stdout
    assert "doctor" not in result.stdout


def test_bash_completes_with_it(tmp_path):
    voxtide = tmp_path / "voxtide"
    voxtide.write_text(f'#!/bin/sh\nexec {sys.executable} -m voxtide "$@"\n')
    voxtide.chmod(voxtide.stat().st_mode | stat.S_IXUSR)
    script = """
        eval "$(voxtide completion bash)"
        COMP_WORDS=(voxtide transcribe --form) COMP_CWORD=2
        _voxtide_completion voxtide
        echo "${COMPREPLY[@]}"
    """
    path = f"{tmp_path}:{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-c", script], env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert result.stdout.strip() == "--format"


def test_another_shell_is_wrong_usage():
    assert CliRunner().invoke(main, ["completion", "csh"]).exit_code == 2
