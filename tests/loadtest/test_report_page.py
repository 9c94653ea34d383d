"""The page: one file that needs nothing else, readable by day, by night and aloud."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure

from voxtide_loadtest.__main__ import main
from voxtide_loadtest.report import style
from voxtide_loadtest.report.page import Fact, code, page, table

NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
EMPTY = {"meta", "path", "use", "br"}


class Reader(HTMLParser):
    """All tags and attributes; complains about what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a plan."""
    file: Path = tmp_path_factory.mktemp("page") / "plan.html"
    command = "plan --capacity 40 --sessions-per-hour 300 --lengths fixed:240 --price <b>=1"
    result = CliRunner().invoke(main, [*command.split(), "--html", str(file)])
    assert result.exit_code == 0, result.output
    return file.read_text(encoding="utf-8")


def test_nothing_comes_from_elsewhere(text: str) -> None:
    reader = Reader(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & set(reader.tags)
    for _, name, value in reader.attributes:
        assert not name.startswith("on")
        if name.endswith(("href", "src")):
            assert value.startswith("#")
    assert not re.findall(r"url\((?!#)|@import", text)
    assert set(re.findall(r"https?://[^\s\"'<)]+", text)) - NAMESPACES <= {
        "http://prometheus.monitoring:9090"  # in the values, as text
    }
    policy = next(value for tag, name, value in reader.attributes if value.startswith("default-"))
    assert "default-src 'none'" in policy


def test_its_parts_are_closed_and_its_ids_are_its_own(text: str) -> None:
    reader = Reader(text)
    assert reader.open == []
    ids = [value for _, name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    links = {value for _, name, value in reader.attributes if name.endswith("href")}
    links |= set(re.findall(r"url\((#[^)]+)\)", text))
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_plots_follow_the_page_and_can_be_read_aloud(text: str) -> None:
    drawn = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(drawn) == 2
    for svg in drawn:
        assert re.search(r'role="img" aria-label="[A-Z][^"]{20,}\."', svg)
        assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= {"#ffffff", "#000000"}
        assert "var(--one)" in svg
        assert "<text" in svg
    for name in style.VARIABLES.values():
        assert text.count(f"--{name}:") == 2  # by day, by night


def test_what_the_user_gave_is_text(text: str) -> None:
    assert "&lt;b&gt;" in text
    assert "<b>" not in text


def test_text_is_escaped_everywhere() -> None:
    evil = '<i a="'
    made = page(evil, evil, [Fact(evil, evil, evil)], [table(evil, [evil], [[evil]], evil)])
    assert "<i a" not in made + code(evil, evil)
    drawn = style.plot(lambda figure: figure.text(0, 0, evil) and None, evil)
    assert "<i a" not in drawn


def test_a_plot_is_the_same_each_time() -> None:
    def draw(figure: Figure) -> None:
        figure.subplots().plot([1, 2], [3, 4], color=style.ONE)

    assert style.plot(draw, "One") == style.plot(draw, "One")


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2.2 defines it, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_colours_can_be_told_from_the_paper(text: str) -> None:
    by_day, by_night = (
        dict(re.findall(r"--(\w+): (#\w+)", rule))
        for rule in re.findall(r":root {(.*?)}", text, re.DOTALL)
    )
    for colours in (by_day, by_night):
        for name in ("ink", "soft", "one", "two", "three", "bad"):
            for ground in ("paper", "panel"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
