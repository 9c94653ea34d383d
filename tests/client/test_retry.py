"""How long to wait before another try: `voxtide.retry`."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtide.retry import Backoff, asked_wait

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def http_date(date):
    return format_datetime(date, usegmt=True)


def test_waits_double_up_to_the_longest():
    backoff = Backoff(first=0.5, longest=8.0, random=lambda: 0.0)
    assert [backoff.delay(n) for n in range(6)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert backoff.delay(1_000_000) == 8.0


def test_chance_leaves_out_a_part_of_a_wait():
    assert Backoff(first=1.0, jitter=0.25, random=lambda: 1.0).delay(1) == 1.5
    assert Backoff(first=1.0, jitter=0.0, random=lambda: 1.0).delay(1) == 2.0


def test_two_clients_do_not_wait_equally_long():
    assert len({Backoff().delay(3) for _ in range(20)}) > 1


@given(st.integers(0, 100), st.one_of(st.none(), st.floats(0, 1e9)), st.floats(0, 1))
def test_no_wait_is_below_what_was_asked_for_or_beyond_the_limits(attempt, asked, chance):
    backoff = Backoff(random=lambda: chance)
    delay = backoff.delay(attempt, asked)
    if asked is None:
        assert 0.25 <= delay <= 8.0
    else:
        assert min(asked, 60.0) <= delay <= 60.25


@pytest.mark.parametrize(
    "wrong", [{"first": -1}, {"longest": float("nan")}, {"patience": -0.1}, {"jitter": 1.5}]
)
def test_a_wrong_policy_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Backoff(**wrong)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "5"}, 5.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": http_date(NOON + timedelta(seconds=90))}, 90.0),
        ({"Retry-After": http_date(NOON - timedelta(seconds=90))}, 0.0),
        # The server's clock is an hour ahead of ours.
        (
            {
                "Retry-After": http_date(NOON + timedelta(hours=1, seconds=7)),
                "Date": http_date(NOON + timedelta(hours=1)),
            },
            7.0,
        ),
        # RFC 850 and asctime dates are obsolete, and still to be read (RFC 9110, 5.6.7).
        ({"Retry-After": "Friday, 02-Jan-26 12:00:30 GMT"}, 30.0),
        ({"Retry-After": "Fri Jan  2 12:00:30 2026"}, 30.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers, seconds):
    assert asked_wait(httpx.Headers(headers), NOON) == seconds
