"""The picture of the page in docs/page.md: python -m tests.integration.page_picture FILE"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, expect

from tests.conftest import CLIPS, Server, serving
from tests.integration.browser import microphone, opened, with_silence

SIZE = {"width": 820, "height": 760}
SETTLED = 2
"""Turns that are final when the picture is taken, in the middle of the next one."""


async def taken(browser: Browser, server: Server, scheme: str) -> Image.Image:
    """The page while somebody speaks."""
    address = f"http://{server.host}/"
    async with opened(browser, address, color_scheme=scheme, viewport=SIZE) as page:
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator(".turn")).to_have_count(SETTLED)
        await expect(page.locator("#partial span").nth(2)).to_be_visible()
        await page.wait_for_timeout(300)  # until words have faded in
        return Image.open(io.BytesIO(await page.screenshot()))


async def picture(server: Server, sound: Path) -> Image.Image:
    """Light and dark, side by side."""
    shots = []
    for scheme in ("light", "dark"):
        async with microphone(sound) as browser:
            shots.append(await taken(browser, server, scheme))
    both = Image.new("RGB", (2 * SIZE["width"], SIZE["height"]))
    for number, shot in enumerate(shots):
        both.paste(shot, (number * SIZE["width"], 0))
    return both


def main(to: str) -> None:
    """Take it, and write it as a PNG."""
    with tempfile.TemporaryDirectory() as folder, serving("--page", "true") as server:
        sound = with_silence(CLIPS / "demo-piper-joe.flac", Path(folder) / "sound.wav")
        both = asyncio.run(picture(server, sound))
    both.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(
        to, optimize=True
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
