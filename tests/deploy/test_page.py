"""The page to talk to, over real sockets: its files, its headers, its door, and that it is off."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.fakes.app import App, serving
from voxtide_server import page
from voxtide_server.config import Config

FOLDER = Path(page.__file__).with_name("page")
FILES = sorted(path.name for path in FOLDER.iterdir())
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
KEYED = Config(page=True, key="the-key")
BEARER = {"Authorization": "Bearer the-key"}
DOOR = "/page/door"


@asynccontextmanager
async def asking(config: Config) -> AsyncIterator[tuple[App, httpx.AsyncClient]]:
    """A server with these settings, and a client of it."""
    async with (
        serving(config) as app,
        httpx.AsyncClient(base_url=f"http://{app.url}") as client,
    ):
        yield app, client


# ---- off and on --------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/", "/page/app.js", DOOR])
async def test_without_the_setting_there_is_no_page(method: str, path: str) -> None:
    async with asking(Config()) as (_, client):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    async with asking(Config(key="the-key")) as (_, client):
        assert (await client.request(method, path)).status_code == 401
        assert (await client.request(method, path, headers=BEARER)).status_code == 404


@pytest.mark.parametrize("config", [Config(page=True), KEYED], ids=["open", "keyed"])
async def test_nobody_is_asked_for_a_key_to_see_the_page(config: Config) -> None:
    async with asking(config) as (_, client):
        answer = await client.get("/")
        assert answer.status_code == 200
        assert answer.content == (FOLDER / "index.html").read_bytes()
        for name in FILES:
            answer = await client.get(f"/page/{name}")
            assert answer.content == (FOLDER / name).read_bytes(), name
            head = await client.head(f"/page/{name}")
            assert (head.status_code, head.content) == (200, b"")


async def test_the_page_opens_nothing_else() -> None:
    async with asking(KEYED) as (_, client):
        for path in ("/v1/models", "/docs", "/page", "/pages/x", "/index.html"):
            assert (await client.get(path)).status_code == 401, path


async def test_what_is_not_there_is_not_found_and_what_is_there_only_read() -> None:
    async with asking(Config(page=True)) as (_, client):
        for path in ("/page/", "/page/nothing.js", "/page/page.py", DOOR):
            assert (await client.get(path)).status_code == 404, path
        for path in ("/", "/page/app.js"):
            assert (await client.post(path)).status_code == 405, path


@pytest.mark.parametrize(
    "path",
    [
        "/page/../config.py",
        "/page/../../voxtide_server/keys.py",
        "/page/..%2fconfig.py",
        "/page/%2e%2e/config.py",
        "/page/%2e%2e%2fconfig.py",
        "/page//etc/passwd",
        "/page/%2fetc/passwd",
        "/page/..\\config.py",
        "/page/app.js%00",
    ],
)
async def test_no_path_leads_out_of_the_folder(path: str) -> None:
    """As raw requests: clients tidy paths up before they send them."""
    async with serving(Config(page=True)) as app:
        reader, writer = await asyncio.open_connection(*app.url.split(":"))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert re.match(rb"HTTP/1\.1 40[04] ", answer), answer
    assert b"import" not in answer
    assert b"root:" not in answer


# ---- headers -----------------------------------------------------------------------


async def test_files_have_their_types_and_a_strict_policy() -> None:
    async with asking(Config(page=True)) as (_, client):
        for path in ("/", *(f"/page/{name}" for name in FILES)):
            headers = (await client.get(path)).headers
            suffix = Path(path).suffix or ".html"
            assert headers["content-type"].split(";")[0] == TYPES[suffix], path
            assert headers["x-content-type-options"] == "nosniff"
            policy = dict(
                part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
            )
            assert policy["default-src"] == "'none'"
            kinds = ("script-src", "style-src", "connect-src", "img-src")
            assert {policy[kind] for kind in kinds} == {"'self'"}
            assert {policy[k] for k in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}


async def test_a_copy_is_asked_about_each_time_and_not_sent_again() -> None:
    async with asking(Config(page=True)) as (_, client):
        for path in ("/", "/page/app.js"):
            first = await client.get(path)
            assert first.headers["cache-control"] == "no-cache"
            again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert "content-security-policy" in again.headers


async def test_headers_of_other_routes_are_as_they_were() -> None:
    async with asking(Config(page=True)) as (_, client):
        answer = await client.get("/health/live")
        assert answer.status_code == 200
        assert "content-security-policy" not in answer.headers


def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline() -> None:
    html = (FOLDER / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|javascript:", html)
    named = set(re.findall(r'(?:src|href)="([^"]+)"', html))
    assert named == {"page/icon.svg", "page/style.css", "page/app.js"}
    for path in FOLDER.glob("*.js"):
        text = path.read_text()
        for name in re.findall(r'from "([^"]+)"', text):
            assert (FOLDER / name).is_file(), f"{path.name}: {name}"
        assert not re.search(r"https?://|localStorage|sessionStorage|cookie\b.*=|innerHTML", text)
    assert "url(" not in (FOLDER / "style.css").read_text()


# ---- the door ----------------------------------------------------------------------


async def told(client: httpx.AsyncClient, **options: object) -> tuple[int, str | None]:
    """Status and code of the door's answer."""
    answer = await client.post(DOOR, **options)  # type: ignore[arg-type]
    return answer.status_code, answer.json()["error"]["code"] if answer.content else None


async def test_the_door_is_open_where_sessions_are_let_in() -> None:
    async with asking(Config(page=True)) as (_, client):
        assert await told(client) == (204, None)


async def test_the_door_knows_keys_and_secrets() -> None:
    async with asking(KEYED) as (app, client):
        minted = await client.post("/v1/realtime/client_secrets", headers=BEARER)
        expired = app.deployment.keys.mint("ek", "key", 1)
        for shown, answer in (
            (None, (401, "invalid_api_key")),
            ("other", (401, "invalid_api_key")),
            (expired, (401, "invalid_api_key")),
            ("the-key", (204, None)),
            (minted.json()["value"], (204, None)),
        ):
            headers = {} if shown is None else {"Authorization": f"Bearer {shown}"}
            assert await told(client, headers=headers) == answer, shown


async def test_the_door_says_why_a_handshake_is_refused() -> None:
    settings = KEYED.model_copy(update={"max_sessions": 2, "max_sessions_per_key": 1})
    async with asking(settings) as (app, client):
        app.deployment.sessions.most = 2
        async with app.connect(additional_headers=BEARER):
            assert await told(client, headers=BEARER) == (429, "key_limit")
            app.deployment.sessions.most = 1
            assert await told(client, headers=BEARER) == (503, "server_full")
        app.deployment.drain.begin()
        assert await told(client, headers=BEARER) == (503, "draining")


async def test_the_door_knows_origins() -> None:
    async with asking(Config(page=True, allowed_origins="https://a.example")) as (_, client):
        assert await told(client, headers={"Origin": "https://a.example"}) == (204, None)
        refused = await told(client, headers={"Origin": "https://b.example"})
        assert refused == (403, "origin_not_allowed")
        assert (await client.get("/", headers={"Origin": "https://b.example"})).status_code == 200
