"""The pages of the load test in a real browser."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from click.testing import CliRunner
from playwright.async_api import expect

from tests.fakes.ports import free_port
from tests.integration.browser import chromium, opened
from tests.loadtest.echo import corpus, echo
from tests.loadtest.locusts import command, eventually
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


@pytest.fixture
def live(tmp_path: Path) -> Iterator[str]:
    """The address of the charts of a run that goes on."""
    manifest = corpus(tmp_path / "said", seconds=2.0)
    port = str(free_port())
    flags = ("--web-host", "127.0.0.1", "--web-port", port, "--autostart", "-u", "2")
    habits = ("--session", "fixed:3", "--pause", "fixed:0.1")
    with echo(manifest) as server:
        run = command(server.host, manifest, *flags, *habits)
        process = subprocess.Popen(run, stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}/voxtide"
            eventually(f"{address}/figures")
            yield address
        finally:
            process.terminate()
            process.wait(60)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_web_ui_draws_latencies_while_they_come(scheme: str, live: str) -> None:
    async with chromium() as browser, opened(browser, live, color_scheme=scheme) as page:
        for name in ("Live streams", "Word emission latency, ms", "Transcript lag, ms"):
            drawn = page.get_by_role("img", name=f"{name} over time").locator("polyline").first
            await expect(drawn).to_have_attribute("points", re.compile(r"\S+ \S+"))
        await expect(page.locator("#counts")).to_contain_text("0 lost, 0 doubled")
        row = page.get_by_role("row").filter(has_text="word emission latency")
        await expect(row.get_by_role("cell").nth(1)).to_have_text(re.compile("^[1-9]"))
        results = await Axe().run(page)
        assert results.violations_count == 0, results.generate_report()


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
