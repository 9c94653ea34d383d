"""The report of runs in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.eval.report.sample import runs
from tests.integration.browser import chromium, opened
from voxtide_eval.report.html import html
from voxtide_eval.scoring import score

pytestmark = pytest.mark.integration
_OPEN = "for (const one of document.querySelectorAll('details')) one.open = true"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page."""
    made = tmp_path_factory.mktemp("report") / "report.html"
    made.write_text(html("Accuracy against delay", [score(one) for one in runs()]))
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_only_tables_scroll(scheme: str, file: Path) -> None:
    options = {
        "color_scheme": scheme,
        "bypass_csp": True,  # axe itself is a script
        "viewport": {"width": 400, "height": 800},
    }
    async with chromium() as browser, opened(browser, file.as_uri(), **options) as page:
        await page.evaluate(_OPEN)
        results = await Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        wide = "document.documentElement.scrollWidth - window.innerWidth"
        assert await page.evaluate(wide) <= 0


async def test_recordings_play_and_nothing_is_asked_of_anybody(file: Path) -> None:
    async with chromium() as browser:
        page = await browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(file.as_uri())
        await page.evaluate(_OPEN)
        player = page.locator("audio").first
        await player.evaluate("one => { one.muted = true; return one.play(); }")
        assert await player.evaluate("one => one.duration") > 5
        assert {url.split(":")[0] for url in asked} <= {"file", "data"}
        assert await page.evaluate("document.scripts.length") == 0
