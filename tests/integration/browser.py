"""Chromium, without a window, with a microphone that plays a file."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.integration.audio import pcm16

expect.set_options(timeout=60_000)  # a busy machine is slow; that says nothing about the page
BEFORE_S, AFTER_S = 3.0, 4.0
"""Silence around what the microphone plays: it begins when it is opened."""


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """The browser of this machine."""
    command = shutil.which("chromium")
    if command is None:
        pytest.fail("There is no command 'chromium': `make .venv/.browser` installs it.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=command, args=list(flags))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def microphone(sound: Path) -> AsyncIterator[Browser]:
    """A browser whose microphone is allowed and plays a WAV file, once."""
    async with chromium(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}%noloop",
    ) as browser:
        yield browser


@asynccontextmanager
async def opened(
    browser: Browser, address: str, *, expected: str = "^$", **options: Any
) -> AsyncIterator[Page]:
    """The page in a fresh profile; the browser may complain of nothing that is not expected.

    Args:
        browser: to open it in.
        address: of the page.
        expected: pattern of the errors that may be in its console.
        options: of `Browser.new_context`.
    """
    context = await browser.new_context(**options)
    page = await context.new_page()
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(address)
    try:
        yield page
    finally:
        await context.close()
    assert [text for text in complaints if not re.search(expected, text)] == []


def with_silence(clip: Path, to: Path) -> Path:
    """A WAV file with silence around a clip."""
    before, after = (np.zeros(round(seconds * 16_000), np.int16) for seconds in (BEFORE_S, AFTER_S))
    soundfile.write(to, np.concatenate((before, pcm16(clip), after)), 16_000, "PCM_16")
    return to
