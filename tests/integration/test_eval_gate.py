"""The regression gate on nano, as continuous integration runs it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from tests.client import fakes
from tests.conftest import Server
from voxtide_eval.command import main

pytestmark = pytest.mark.integration

BASE = Path(__file__).parents[1] / "fixtures" / "nano-base.jsonl"
"""`run nano --way file` at 480 ms without its latencies, which are of one machine."""


def heard(base_url: str, out: Path, *more: str) -> Path:
    """The manifest of nano's recordings, as a server hears them."""
    command = ["run", "nano", "--way", "file", "--base-url", base_url, "--out", str(out), *more]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    return Path(result.stdout.strip())


def judged(run: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["gate", str(run), "--against", str(BASE), *more])


def test_nano_hears_as_well_as_it_did(server: Server, tmp_path: Path) -> None:
    result = judged(heard(server.base_url, tmp_path))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("passed: WER")


def test_a_server_that_drops_one_word_in_ten_is_failed(server: Server, tmp_path: Path) -> None:
    """Between the evaluation and voxtide stands somebody who loses words."""

    async def lose(form: fakes.Form) -> fakes.Answer:
        async with httpx.AsyncClient(timeout=120) as http:
            answer = await http.post(
                f"{server.base_url}/audio/transcriptions",
                data=dict(form.fields),
                files={"file": (form.filename, form.content)},
            )
        words = answer.json()["text"].split()
        kept = [word for number, word in enumerate(words, 1) if number % 10]
        return 200, json.dumps({"text": " ".join(kept)})

    pages = {"/v1/models": json.dumps({"data": [{"id": "nano"}]})}
    with fakes.in_thread(fakes.files(lose, pages=pages)) as losing:
        run = heard(losing.base_url, tmp_path, "--delay-ms", "480")
    result = judged(run)
    assert result.exit_code == 1, result.output
    assert result.stdout.startswith("FAILED: WER")
