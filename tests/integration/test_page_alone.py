"""The page in a real browser, with an engine that needs no model: what a person is told when
something goes wrong, and that everybody can use it. tests/integration/test_page.py has nano."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pysubs2
import pytest
import soundfile
import webvtt
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.fakes.app import App, serving
from tests.fakes.engine import say, silence
from tests.integration.browser import chromium, opened
from voxtide_server.config import Config
from voxtide_server.engine import Samples

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PAGE = Config(page=True)
KEYED = Config(page=True, key="the-key")
UNAUTHORIZED, UNAVAILABLE = "status of 401", r"status of 503|WebSocket connection"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Words w900 and w901, 1.5 s apart: two turns."""
    words = (silence(0.5), say(900), silence(1.5), say(901), silence(0.7))
    return written(tmp_path / "words.wav", *words)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """The word w900 over and over, for 20 s: one turn, so that a test can do something in it."""
    return written(tmp_path / "talk.wav", *(silence(0.5), say(900)) * 25)


def written(file: Path, *sounds: Samples) -> Path:
    soundfile.write(file, np.concatenate(sounds), 16_000, "FLOAT")
    return file


@asynccontextmanager
async def page_of(config: Config, **options: Any) -> AsyncIterator[tuple[App, Page]]:
    """A server with these settings, and its page in a browser without a microphone."""
    async with (
        serving(config) as app,
        chromium() as browser,
        opened(browser, f"http://{app.url}/", **options) as page,
    ):
        yield app, page


async def use_file(page: Page, file: Path) -> None:
    """Choose a file, and start."""
    await page.get_by_text("Audio file", exact=True).click()
    await page.get_by_label("Choose a recording").set_input_files(file)
    await page.get_by_role("button", name="Start").click()


async def is_told(page: Page, code: str, words: str) -> None:
    """A person is told this, aloud too, and can go on."""
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text(words)
    assert await alert.get_attribute("data-code") == code
    await expect(page.get_by_role("status")).to_have_text("Ready")
    await expect(page.get_by_role("button", name="Start")).to_be_enabled()


# ---- a file ------------------------------------------------------------------------


async def test_a_file_is_heard_in_real_time_and_its_words_settle(recording: Path) -> None:
    async with page_of(PAGE) as (app, page):
        await page.evaluate(WATCH)
        began = time.monotonic()
        await use_file(page, recording)
        await expect(page.locator("#delay")).to_have_text("480 ms")
        await expect(page.locator(".turn span")).to_have_text(["w900", "w901"])
        assert time.monotonic() - began > 3.0, "it was sent as fast as it is spoken"
        await expect(page.get_by_role("status")).to_have_text("Ready")
        await expect(page.locator("#partial")).to_be_empty()
        shown = await page.evaluate("window.shown")
        assert [text for text in shown if text] == ["w", "w900", "w", "w901"], "as they came"
        assert await page.locator(".turn time").all_inner_texts() == ["0:00", "0:02"]
        assert await page.locator("#sent").inner_text() == "3.30 s"
        assert app.deployment.sessions.inside == 0
        lag = float((await page.locator("#lag").inner_text()).removesuffix(" s"))
        first = float((await page.locator("#first-token").inner_text()).removesuffix(" s"))
        # The engine tells a word 7 frames after the one in which it ends; the word lasts 0.3 s.
        assert 0.48 <= lag < 3.3
        assert 0.7 <= first < 20


WATCH = """() => {
  window.shown = [];
  const partial = document.getElementById("partial");
  new MutationObserver(() => window.shown.push(partial.textContent.trim()))
    .observe(partial, { childList: true });
}"""


async def test_a_second_start_goes_on_in_the_same_transcript(recording: Path) -> None:
    async with page_of(PAGE) as (_, page):
        for turns in (2, 4):
            await use_file(page, recording)
            await expect(page.locator(".turn")).to_have_count(turns)
            await expect(page.get_by_role("status")).to_have_text("Ready")
        times = await page.locator(".turn time").all_inner_texts()
        assert times == ["0:00", "0:02", "0:03", "0:05"]
        await page.get_by_role("button", name="Clear").click()
        await expect(page.locator(".turn")).to_have_count(0)
        await expect(page.get_by_text("Speak, and read along.")).to_be_visible()
        await expect(page.get_by_role("button", name="Save SRT")).to_be_disabled()


async def test_it_can_be_used_with_the_keyboard_alone(talk: Path) -> None:
    async with page_of(PAGE) as (_, page):

        async def tab_to(element: str) -> None:
            for _ in range(15):
                await page.keyboard.press("Tab")
                if await page.evaluate("document.activeElement.id") == element:
                    assert await page.evaluate(SEEN), f"the focus on {element} is visible"
                    return
            raise AssertionError(f"Tab never comes to {element}")

        await tab_to("theme")
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
        await page.locator("input[name=source]").first.focus()
        await page.keyboard.press("ArrowRight")
        await tab_to("start")
        await page.keyboard.press("Shift+Tab")  # back to the choice, and on to the file
        await page.locator("#file").set_input_files(talk)  # the system's own dialog
        await tab_to("start")
        await page.keyboard.press("Enter")
        await expect(page.locator("#partial")).to_contain_text("w900")
        await page.keyboard.press("Enter")  # stop
        await expect(page.locator(".turn span")).to_contain_text("w900")
        for name in ("srt", "vtt"):
            await tab_to(name)
            async with page.expect_download() as download:
                await page.keyboard.press("Enter")
            assert (await download.value).suggested_filename == f"captions.{name}"


SEEN = """(() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2;
})()"""


# ---- subtitles ---------------------------------------------------------------------


async def subtitles(page: Page, words: list[tuple[str, float, float]]) -> dict[str, Any]:
    """What the page makes of words: cues, SRT and WebVTT."""
    script = """async (words) => {
      const { cues, srt, vtt } = await import("/page/subtitles.js");
      const made = cues(words.map(([text, start, end]) => ({ text, start, end })));
      return { cues: made, srt: srt(made), vtt: vtt(made) };
    }"""
    return dict(await page.evaluate(script, words))


async def test_subtitles_keep_the_rules_and_every_word(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    letters = "abcdefghi<&>"
    words, at = [], 3590.0  # past an hour
    for number in range(600):
        text = "".join(rng.choice(list(letters), rng.integers(1, 13)))
        start = at + rng.choice([0.0, 0.1, 0.5, 0.9, 2.0], p=[0.5, 0.2, 0.15, 0.1, 0.05])
        at = start + 0.05 * len(text)
        words.append((f" {text}{'.' * (number % 11 == 0)}", float(start), float(at)))
    async with page_of(PAGE) as (_, page):
        made = await subtitles(page, words)
    said = " ".join(line for cue in made["cues"] for line in cue["lines"])
    assert said == "".join(text for text, _, _ in words).strip()
    for cue, following in zip(made["cues"], [*made["cues"][1:], None], strict=True):
        assert len(cue["lines"]) <= 2
        assert all(len(line) <= 42 for line in cue["lines"])
        assert 0 < cue["end"] - cue["start"] <= 6
        assert following is None or cue["end"] <= following["start"] + 1e-9
        assert not any(". " in line for line in cue["lines"]), "a sentence ends its cue"
    parsed = pysubs2.SSAFile.from_string(made["srt"], format_="srt")
    assert [(e.start, e.end) for e in parsed] == [
        (round(cue["start"] * 1000), round(cue["end"] * 1000)) for cue in made["cues"]
    ]
    (tmp_path / "x.vtt").write_text(made["vtt"])
    captions = webvtt.read(str(tmp_path / "x.vtt"))
    assert [c.start_in_seconds for c in captions] == [int(cue["start"]) for cue in made["cues"]]
    assert "&lt;" in made["vtt"]
    assert "<" not in made["vtt"].replace("-->", "")


async def test_subtitles_by_hand() -> None:
    async with page_of(PAGE) as (_, page):
        made = await subtitles(
            page,
            [
                (" Good", 0.0, 0.3),
                (" morning.", 0.3, 0.6),  # a sentence, shown for a second
                (" So", 2.0, 2.2),
                (" long", 2.2, 2.5),
                (" then", 3.4, 3.6),  # after a pause
                ("你好", 3.6, 3.9),  # no space before it
            ],
        )
    assert made["srt"] == (
        "1\n00:00:00,000 --> 00:00:01,000\nGood morning.\n\n"
        "2\n00:00:02,000 --> 00:00:03,000\nSo long\n\n"
        "3\n00:00:03,400 --> 00:00:04,400\nthen你好\n"
    )
    assert made["vtt"].startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nGood morning.\n\n")


# ---- secrets -----------------------------------------------------------------------


async def test_a_secret_in_the_fragment_opens_a_session_and_leaves_the_address(
    recording: Path,
) -> None:
    async with serving(KEYED) as app, chromium() as browser:
        secret = app.deployment.keys.mint("ek", "key", int(time.time()) + 600)
        async with opened(browser, f"http://{app.url}/#{secret}") as page:
            await expect(page.get_by_label("Secret for this server")).to_have_value(secret)
            assert page.url == f"http://{app.url}/"
            await use_file(page, recording)
            await expect(page.locator(".turn span")).to_have_text(["w900", "w901"])
            kept = "[localStorage.length, sessionStorage.length, document.cookie, history.length]"
            assert (await page.evaluate(kept))[:3] == [0, 0, ""]


async def test_a_server_with_keys_asks_for_a_secret_and_takes_a_pasted_one(
    recording: Path,
) -> None:
    async with page_of(KEYED, expected=UNAUTHORIZED) as (app, page):
        field = page.get_by_label("Secret for this server")
        await expect(field).to_be_visible()
        await use_file(page, recording)
        await is_told(page, "no_secret", "begins with ek_")
        await field.fill(app.deployment.keys.mint("ek", "key", int(time.time()) + 600))
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator(".turn span")).to_have_text(["w900", "w901"])


@pytest.mark.parametrize("way", ["pasted", "fragment"])
async def test_a_real_key_is_refused_by_the_page_and_sent_nowhere(way: str) -> None:
    async with serving(KEYED) as app, chromium() as browser:
        address = f"http://{app.url}/{'#the-key' if way == 'fragment' else ''}"
        async with opened(browser, address, expected=UNAUTHORIZED) as page:
            field = page.get_by_label("Secret for this server")
            await expect(field).to_be_visible()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.on("websocket", lambda socket: asked.append(socket.url))
            if way == "pasted":
                await field.fill("the-key")
                await page.get_by_role("button", name="Start").click()
            await is_told(page, "no_ephemeral_secret", "Do not put a real key into a web page")
            assert asked == []
            assert "the-key" not in page.url


async def test_a_secret_that_has_expired_is_told(recording: Path) -> None:
    async with serving(KEYED) as app, chromium() as browser:
        secret = app.deployment.keys.mint("ek", "key", 1)
        address = f"http://{app.url}/#{secret}"
        async with opened(browser, address, expected=rf"{UNAUTHORIZED}|WebSocket") as page:
            await is_told(page, "invalid_api_key", "has expired")
            await use_file(page, recording)
            await is_told(page, "invalid_api_key", "has expired")


# ---- what goes wrong ---------------------------------------------------------------


async def test_a_denied_microphone_is_told() -> None:
    flags = ("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    async with (
        serving(PAGE) as app,
        chromium(*flags) as browser,
        opened(browser, f"http://{app.url}/") as page,
    ):
        await page.get_by_role("button", name="Start").click()
        await is_told(page, "microphone_denied", "Allow it for this page")
        assert app.deployment.sessions.inside == 0


async def test_a_full_server_is_told(recording: Path) -> None:
    async with page_of(PAGE, expected=UNAVAILABLE) as (app, page):
        app.deployment.sessions.most = 0
        await use_file(page, recording)
        await is_told(page, "server_full", "The server is full.")
        app.deployment.sessions.most = 1
        await use_file(page, recording)
        await expect(page.get_by_role("alert")).to_be_empty()
        await expect(page.locator(".turn span")).to_have_text(["w900", "w901"])


async def test_a_page_whose_address_may_not_open_sessions_is_told(recording: Path) -> None:
    settings = Config(page=True, allowed_origins="https://a.example")
    async with page_of(settings, expected="status of 403|WebSocket") as (_, page):
        await use_file(page, recording)
        await is_told(page, "origin_not_allowed", "allowed_origins")


async def test_a_file_that_is_no_audio_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_text("no sound")
    async with page_of(PAGE) as (_, page):
        await page.get_by_text("Audio file", exact=True).click()
        await page.get_by_role("button", name="Start").click()
        await is_told(page, "no_file", "Choose an audio file")
        await use_file(page, tmp_path / "x.wav")
        await is_told(page, "unreadable_file", "cannot read this file")


async def test_a_server_that_stops_is_told(tmp_path: Path) -> None:
    file = written(tmp_path / "x.wav", *(silence(0.5), say(900)) * 8, silence(20))
    async with page_of(PAGE) as (app, page):
        await use_file(page, file)
        await expect(page.locator("#partial")).to_contain_text("w900")
        app.deployment.drain.begin()
        await expect(page.get_by_role("alert")).to_contain_text("finish what you are saying")
        await is_told(page, "server_stopped", "The server was stopped.")
        await expect(page.locator(".turn span").first).to_contain_text("w900")


async def test_an_engine_that_dies_is_told(talk: Path) -> None:
    async with page_of(PAGE) as (app, page):
        await use_file(page, talk)
        await expect(page.locator("#partial")).to_contain_text("w900")
        app.engine.dead = True
        await is_told(page, "engine_dead", "engine")
        app.engine.dead = False


async def test_a_lost_connection_is_told_and_what_was_said_stays(talk: Path) -> None:
    async with (
        serving(PAGE) as app,
        chromium() as browser,
        wire(app) as (address, cut),
        opened(browser, address) as page,
    ):
        await use_file(page, talk)
        await expect(page.locator("#partial")).to_contain_text("w900")
        cut()
        await is_told(page, "connection_lost", "The connection was lost.")
        await expect(page.locator(".unconfirmed span")).to_contain_text("w900")
        await expect(page.get_by_role("button", name="Save SRT")).to_be_disabled()


@asynccontextmanager
async def wire(app: App) -> AsyncIterator[tuple[str, Any]]:
    """A way to a server that can be cut."""
    ends: list[asyncio.StreamWriter] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
        writer.close()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(*app.url.split(":"))
        ends.extend((writer, inner_writer))
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    def cut() -> None:
        for writer in ends:
            writer.transport.abort()

    async with await asyncio.start_server(join, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/", cut
        cut()


# ---- for everybody -----------------------------------------------------------------

BOTH = pytest.mark.parametrize("scheme", ["light", "dark"])


async def faults(page: Page) -> str:
    """What axe-core finds, best practices included."""
    results = await Axe().run(page)
    return results.generate_report() if results.violations_count else ""


@BOTH
async def test_axe_finds_nothing(scheme: str, talk: Path) -> None:
    async with page_of(KEYED, color_scheme=scheme, expected=UNAUTHORIZED) as (app, page):
        await expect(page.get_by_label("Secret for this server")).to_be_visible()
        assert await faults(page) == "", "at rest"
        await use_file(page, talk)
        await is_told(page, "no_secret", "ek_")
        assert await faults(page) == "", "with an error"
        secret = app.deployment.keys.mint("ek", "key", int(time.time()) + 600)
        await page.get_by_label("Secret for this server").fill(secret)
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator("#partial")).to_contain_text("w900")
        await page.wait_for_timeout(300)  # words that are fading in have no colour yet
        assert await faults(page) == "", "while it listens"
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator(".turn")).to_have_count(1)
        await page.get_by_text("What the figures mean").click()
        assert await faults(page) == "", "at the end"


async def colours(page: Page) -> tuple[str, str]:
    script = """() => [getComputedStyle(document.documentElement).backgroundColor,
      getComputedStyle(document.body).color]"""
    ground, ink = await page.evaluate(script)
    return ground, ink


async def test_it_is_light_or_dark_as_the_system_is_and_as_its_reader_wants() -> None:
    async with serving(PAGE) as app, chromium() as browser:
        seen = {}
        for scheme, other in (("light", "Dark"), ("dark", "Light")):
            async with opened(browser, f"http://{app.url}/", color_scheme=scheme) as page:
                seen[scheme] = await colours(page)
                await page.get_by_role("button", name=f"{other} colours").click()
                seen[f"{scheme}, turned over"] = await colours(page)
    assert seen["light"] != seen["dark"]
    assert seen["light"] == seen["dark, turned over"]
    assert seen["dark"] == seen["light, turned over"]


async def test_it_fits_a_phone_and_moves_nothing_for_who_wants_no_motion(talk: Path) -> None:
    phone = {"width": 320, "height": 640}
    async with page_of(PAGE, viewport=phone, reduced_motion="reduce") as (_, page):
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
        await use_file(page, talk)
        await expect(page.locator("#partial")).to_contain_text("w900")
        moving = "document.getAnimations().length"
        assert await page.evaluate(moving) == 0
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator(".turn")).to_have_count(1)


async def test_finals_are_read_out_and_partial_words_are_not() -> None:
    async with page_of(PAGE) as (_, page):
        inside = "(id) => document.getElementById(id).closest('[aria-live], [role=log]')?.id"
        assert await page.evaluate(inside, "finals") == "finals"
        assert await page.locator("#finals").get_attribute("aria-live") == "polite"
        assert await page.evaluate(inside, "partial") is None
