"""The page to talk to, in real Chromium against real vLLM with nano."""

from __future__ import annotations

import re
from pathlib import Path

import pysubs2
import pytest
import webvtt
from playwright.async_api import Page, expect

from tests.conftest import Clip, Server
from tests.integration.browser import chromium, microphone, opened, with_silence

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def named(clips: list[Clip], stem: str) -> Clip:
    return next(clip for clip in clips if clip.path.stem == stem)


async def finals(page: Page) -> str:
    """All final words."""
    return " ".join(await page.locator(".turn:not(.unconfirmed) > span").all_inner_texts())


async def saved(page: Page, name: str, to: Path) -> Path:
    """The file that a button gives."""
    async with page.expect_download() as download:
        await page.get_by_role("button", name=f"Save {name.upper()}").click()
    given = await download.value
    assert given.suggested_filename == f"captions.{name}"
    await given.save_as(to / given.suggested_filename)
    return to / given.suggested_filename


async def test_what_is_said_into_the_microphone_is_on_the_page_and_in_the_subtitles(
    server: Server, clips: list[Clip], tmp_path: Path
) -> None:
    clip = named(clips, "voice-091-espeak-Marco")
    sound = with_silence(clip.path, tmp_path / "sound.wav")
    async with microphone(sound) as browser, opened(browser, f"http://{server.host}/") as page:
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator("#delay")).to_have_text("480 ms")
        last = clip.text.split()[-1]
        await expect(page.locator("#captions")).to_contain_text(last)
        await page.get_by_role("button", name="Stop").click()
        await expect(page.get_by_role("status")).to_have_text("Ready")
        assert await finals(page) == clip.text
        for figure in ("#first-token", "#lag", "#sent"):
            assert re.fullmatch(r"\d+\.\d\d s", await page.locator(figure).inner_text()), figure
        srt, vtt = [await saved(page, name, tmp_path) for name in ("srt", "vtt")]
    cues = pysubs2.load(str(srt))
    assert " ".join(cue.plaintext.replace("\n", " ") for cue in cues) == clip.text
    assert [cue.text.replace("\n", " ") for cue in webvtt.read(str(vtt))] == [
        cue.plaintext.replace("\n", " ") for cue in cues
    ]
    spoken = clip.ends[-1] - clip.ends[0]
    assert abs((cues[-1].end - cues[0].start) / 1000 - spoken) < 1.5
    assert all(cue.start < cue.end for cue in cues)


async def test_a_file_gives_the_words_that_are_in_it(
    server: Server, clips: list[Clip], tmp_path: Path
) -> None:
    clip = named(clips, "demo-piper-joe")  # its pauses make several turns of it
    async with chromium() as browser, opened(browser, f"http://{server.host}/") as page:
        await page.get_by_text("Audio file", exact=True).click()
        await page.get_by_label("Choose a recording").set_input_files(clip.path)
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator(".turn").nth(2)).to_be_visible()
        await expect(page.get_by_role("status")).to_have_text("Ready")
        assert await finals(page) == clip.text
        cues = pysubs2.load(str(await saved(page, "srt", tmp_path)))
    assert abs(cues[0].start / 1000 - clip.ends[0]) < 1
    assert abs(cues[-1].end / 1000 - clip.ends[-1]) < 1


async def test_the_door_and_vllms_own_routes_stand_beside_each_other(server: Server) -> None:
    async with chromium() as browser, opened(browser, f"http://{server.host}/") as page:
        statuses = await page.evaluate(
            """() => Promise.all([["page/door", "POST"], ["v1/models", "GET"]].map(
              async ([path, method]) => (await fetch(path, { method })).status))"""
        )
        assert statuses == [204, 200]
