"""What tells one content of an object from another: `voxtide.command.store`."""

from datetime import UTC, datetime

import pytest

from voxtide.command.store import Store, Version

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("about", "version"),
    [
        (
            {"size": 3, "ETag": '"abc"', "LastModified": NOON},
            Version(3, '"abc"', "2026-01-02T12:00:00+00:00"),
        ),
        (
            {"size": 3, "etag": "CJ=", "updated": "2026-01-02T12:00:00.123Z"},
            Version(3, "CJ=", "2026-01-02T12:00:00.123Z"),
        ),
        (
            {"size": 3, "created": 0.0, "mtime": NOON.timestamp()},
            Version(3, None, "2026-01-02T12:00:00+00:00"),
        ),
        ({"size": None}, Version(None, None, None)),
    ],
)
def test_stores_have_many_names_for_the_same(about, version):
    assert Version.of(about) == version


def test_what_is_written_down_is_read_back():
    version = Version(3, "abc", NOON.isoformat())
    assert Version.of({"size": 3, "etag": "abc", "mtime": NOON.isoformat()}) == version


class Odd:
    """A file system with an error of its own kind."""

    protocol = ("odd",)

    def unstrip_protocol(self, path):
        return f"odd://{path}"

    def cat_file(self, path):
        raise LookupError("no such thing")


def test_the_errors_of_a_file_system_become_errors_of_reading():
    with pytest.raises(OSError, match="odd://root: LookupError: no such thing"):
        Store(Odd(), "root").read("a")
