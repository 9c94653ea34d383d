"""Searches side by side."""

from __future__ import annotations

from voxtide_loadtest.capacity.course import Course, Trial, take_turns
from voxtide_loadtest.capacity.search import Ask, Outcome, Rules
from voxtide_loadtest.capacity.server import Server


def test_trials_take_turns_and_the_longer_search_goes_on_alone() -> None:
    rules = Rules(tolerance=0.0, trials=2, passes=2)
    limits = {"a": 3, "b": 9}
    courses = [Course(Server("http://x", name), rules) for name in limits]
    order = []

    def run(course: Course, ask: Ask, number: int) -> Trial:
        order.append(course.server.name)
        outcome: Outcome = "passed" if ask.streams <= limits[course.server.name] else "failed"
        return Trial(number, ask.streams, ask.purpose, outcome, (), 0, 0, 0, 0, {}, {})

    take_turns(courses, run)
    assert [course.found.sessions for course in courses if course.found] == [3, 9]
    both = 2 * len(courses[0].trials)
    assert "".join(order[:both]) == ("abba" * both)[:both]
    assert set(order[both:]) == {"b"}
    numbers = sorted(one.number for course in courses for one in course.trials)
    assert numbers == list(range(1, len(order) + 1))
