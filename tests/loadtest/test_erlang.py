"""Erlang's formulas: published values, exact arithmetic, inverses, and what must always hold."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtide_loadtest.plan.erlang import (
    erlang_b,
    erlang_c,
    fewest_servers,
    mean_wait,
    most_erlangs,
)

SERVERS = st.integers(1, 3000)
ERLANGS = st.floats(1e-3, 3000)
BLOCKING = st.floats(1e-6, 0.5)


def exact_b(servers: int, erlangs: Fraction) -> Fraction:
    """Erlang B as it is defined: (a^c / c!) / sum of a^k / k!."""
    terms = [Fraction(1)]
    for k in range(1, servers + 1):
        terms.append(terms[-1] * erlangs / k)
    return terms[-1] / sum(terms)


def exact_c(servers: int, erlangs: Fraction) -> Fraction:
    """Erlang C as it is defined: states of the M/M/c queue in which all servers are taken."""
    terms = [Fraction(1)]
    for k in range(1, servers):
        terms.append(terms[-1] * erlangs / k)
    all_taken = terms[-1] * erlangs / servers / (1 - erlangs / servers)
    return all_taken / (sum(terms) + all_taken)


def recursion(servers: int, erlangs: float) -> float:
    """Erlang B by its recursion, one server after the other."""
    inverse = 1.0
    for n in range(1, servers + 1):
        inverse = 1.0 + inverse * n / erlangs
    return 1.0 / inverse


@pytest.mark.parametrize(("servers", "erlangs"), [(1, 1), (20, 10), (15, 8), (30, 25), (200, 180)])
def test_exactly_erlangs_sums(servers: int, erlangs: int) -> None:
    exact = exact_b(servers, Fraction(erlangs))
    assert erlang_b(servers, erlangs) == pytest.approx(float(exact), rel=1e-12)
    if erlangs < servers:
        exact = exact_c(servers, Fraction(erlangs))
        assert erlang_c(servers, erlangs) == pytest.approx(float(exact), rel=1e-12)


def test_published_tables_of_refusals() -> None:
    # erlang.com, manual of the Erlang B calculator: 15 lines at 1 % carry 8.108 erlangs.
    assert most_erlangs(15, 0.01) == pytest.approx(8.108, abs=0.0005)
    # Wolfram, demonstration of Erlang B: 30 lines and 25 erlangs refuse about 5 %.
    assert erlang_b(30, 25) == pytest.approx(0.05, abs=0.005)
    # "Carrier Grade Voice Over IP", second edition, appendix A: 10 channels at 0.1 % carry 3.1.
    assert most_erlangs(10, 0.001) == pytest.approx(3.1, abs=0.05)


def test_textbook_cases_of_waiting() -> None:
    # Closed forms: C(2, 1) = 1/3, C(3, 2) = 4/9.
    assert erlang_c(2, 1) == pytest.approx(1 / 3)
    assert erlang_c(3, 2) == pytest.approx(4 / 9)
    # A known exercise: 120 customers an hour, 3 minutes each, 10 who serve: about 0.10 wait.
    assert erlang_c(10, 120 * 3 / 60) == pytest.approx(0.10, abs=0.005)
    # One server: the M/M/1 queue, whose mean wait is rho / (mu - lambda).
    assert erlang_c(1, 0.8) == pytest.approx(0.8)
    assert mean_wait(1, 0.8, 10.0) == pytest.approx(0.8 / (0.1 - 0.08))


@pytest.mark.parametrize(
    ("servers", "erlangs"), [(1_000_000, 1e6), (999_697, 1e6), (1_003_000, 1e6)]
)
def test_a_million_streams_as_the_recursion_has_them(servers: int, erlangs: float) -> None:
    assert erlang_b(servers, erlangs) == pytest.approx(recursion(servers, erlangs), rel=1e-9)


def test_a_million_streams_as_far_as_is_known() -> None:
    # B(a, a) tends to sqrt(2 / (pi a)), here to the first order beyond it: Jagerman 1974.
    expected = 1 / (math.sqrt(math.pi * 1e6 / 2) + 2 / 3)
    assert erlang_b(1_000_000, 1e6) == pytest.approx(expected, rel=1e-6)
    servers = fewest_servers(1e6, 0.001)
    assert erlang_b(servers, 1e6) <= 0.001 < erlang_b(servers - 1, 1e6)


def test_nothing_overflows() -> None:
    assert erlang_b(2_000_000, 1e6) == 0.0
    assert erlang_b(10, 1e-300) == 0.0
    assert erlang_b(1, 1e300) == pytest.approx(1.0)
    assert erlang_b(0, 5.0) == 1.0
    assert erlang_b(5, 0.0) == 0.0
    assert erlang_c(5, 5.0) == 1.0
    assert mean_wait(5, 6.0, 1.0) == math.inf
    assert fewest_servers(0.0, 0.01) == 1  # without one, whoever came would be refused


@given(SERVERS, ERLANGS)
def test_more_servers_refuse_fewer(servers: int, erlangs: float) -> None:
    here, more = erlang_b(servers, erlangs), erlang_b(servers + 1, erlangs)
    assert 0.0 <= more <= here <= 1.0
    assert more < here or here < 1e-300


@given(SERVERS, ERLANGS, st.floats(1.001, 3.0))
def test_more_load_is_refused_more(servers: int, erlangs: float, times: float) -> None:
    here, more = erlang_b(servers, erlangs), erlang_b(servers, erlangs * times)
    assert here < more or more < 1e-300
    carried = erlangs * times * (1 - more)
    assert carried <= servers * (1 + 1e-9)


@given(SERVERS, st.floats(0.01, 0.999))
def test_who_would_be_refused_waits_and_more_with_them(servers: int, share: float) -> None:
    erlangs = servers * share
    waits = erlang_c(servers, erlangs)
    assert erlang_b(servers, erlangs) <= waits <= 1.0
    assert erlang_c(servers + 1, erlangs) <= waits
    assert mean_wait(servers, erlangs, 2.0) == pytest.approx(2 * mean_wait(servers, erlangs, 1.0))


@given(st.floats(0.0, 5000), BLOCKING)
def test_fewest_servers_are_enough_and_one_less_is_not(erlangs: float, blocking: float) -> None:
    servers = fewest_servers(erlangs, blocking)
    assert erlang_b(servers, erlangs) <= blocking
    assert servers == 0 or erlang_b(servers - 1, erlangs) > blocking


@given(st.integers(1, 1000), BLOCKING)
def test_there_and_back(servers: int, blocking: float) -> None:
    erlangs = most_erlangs(servers, blocking)
    assert erlang_b(servers, erlangs) == pytest.approx(blocking, rel=1e-6)
    assert fewest_servers(erlangs, blocking) == servers


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: erlang_b(-1, 1.0), "servers"),
        (lambda: erlang_b(1, -1.0), "erlangs"),
        (lambda: erlang_c(1, math.nan), "erlangs"),
        (lambda: mean_wait(1, math.inf, 1.0), "erlangs"),
        (lambda: fewest_servers(1.0, 0.0), "blocking"),
        (lambda: most_erlangs(1, 1.0), "blocking"),
    ],
)
def test_what_is_out_of_range_is_named(call: object, field: str) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=field):
        call()
