"""Load shapes."""

from __future__ import annotations

import pytest

from voxtide_loadtest.shapes import Profile


@pytest.mark.parametrize(
    ("text", "moments", "streams"),
    [
        ("constant", (0, 1e6), (100, 100)),
        ("step:4,60", (0, 59, 60, 239, 240), (25, 25, 50, 100, None)),
        ("ramp:50", (0, 25, 50, 1e6), (0, 50, 100, 100)),
        ("soak:10,100", (5, 10, 109, 110), (50, 100, 100, None)),
        ("spike:20,60,10", (0, 59, 60, 69, 70), (20, 20, 100, 100, 20)),
        ("diurnal:10,86400", (0, 21_600, 43_200, 86_400), (10, 55, 100, 10)),
    ],
)
def test_shapes(text: str, moments: tuple[float, ...], streams: tuple[int | None, ...]) -> None:
    profile = Profile.parse(text)
    assert tuple(profile.streams(moment, 100) for moment in moments) == streams


@pytest.mark.parametrize("text", ["", "step", "step:1", "ramp:x", "ramp:0", "ramp:-1", "wave:3"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not constant"):
        Profile.parse(text)
