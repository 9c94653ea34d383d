"""The pages of a plan and of a capacity search in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from click.testing import CliRunner

from tests.integration.browser import chromium, opened
from tests.loadtest.results import searched
from voxtide_loadtest.__main__ import main
from voxtide_loadtest.capacity.report import of_capacity

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_a_plan(scheme: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.html"
    command = "plan --capacity 40 --sessions-per-hour 300 --lengths fixed:240 --price mine=1"
    result = CliRunner().invoke(main, [*command.split(), "--html", str(file)])
    assert result.exit_code == 0, result.output
    await check(file, scheme, "The day in figures")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_a_capacity_report(scheme: str, tmp_path: Path) -> None:
    file = tmp_path / "capacity.html"
    file.write_text(of_capacity(searched("mine", 2)), encoding="utf-8")
    await check(file, scheme, "Every trial")


async def check(file: Path, scheme: str, closed: str) -> None:
    """Look at a page on a telephone, with what is closed at first opened."""
    # axe itself is a script, which the page's policy would not let in.
    options = {
        "color_scheme": scheme,
        "bypass_csp": True,
        "viewport": {"width": 400, "height": 800},
    }
    async with chromium() as browser, opened(browser, file.as_uri(), **options) as page:
        await page.get_by_text(closed).click()
        results = await Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        wide = "document.documentElement.scrollWidth - window.innerWidth"
        assert await page.evaluate(wide) <= 0  # on a telephone, only tables scroll
