"""The estimate of the time left, with a clock that is moved by hand."""

import pytest

from shaketable.runs import events
from shaketable.runs.events import Clock


@pytest.fixture
def now(monkeypatch):
    time = [100.0]
    monkeypatch.setattr(events.time, "monotonic", lambda: time[0])
    return time


def test_nothing_is_estimated_until_something_was_timed(now):
    clock = Clock(remaining={"a": 3, "b": 1})
    clock.begin()
    now[0] += 10
    assert clock.seconds_left("a", 0.5) is None  # b has never been timed


def test_one_kind_is_estimated_from_its_own_share(now):
    clock = Clock(remaining={"a": 3})
    clock.begin()
    now[0] += 10
    assert clock.seconds_left("a", 0.01) is None
    assert clock.seconds_left("a", 0.5) == pytest.approx(10 + 2 * 20)


def test_timed_kinds_are_added_up(now):
    clock = Clock(remaining={"a": 3, "b": 2})
    for kind, seconds in (("a", 4.0), ("b", 1.0), ("a", 8.0)):
        clock.begin()
        now[0] += seconds
        clock.end(kind, seconds)
    assert clock.remaining == {"a": 1, "b": 1}
    assert clock.seconds_left("a", 0.0) == pytest.approx(6 + 1)
    assert clock.seconds_left("a", 0.5) == pytest.approx(3 + 1)


def test_several_at_once_take_their_share_of_the_time(now):
    clock = Clock(remaining={"a": 7}, at_once=3)
    clock.begin()
    clock.end("a", 2.0)
    assert clock.seconds_left("a", 0.0) == pytest.approx(6 * 2.0 / 3)


def test_at_the_end_nothing_is_left(now):
    clock = Clock(remaining={"a": 1, "b": 0})
    clock.begin()
    now[0] += 4
    clock.end("a", 4.0)
    assert clock.seconds_left("a", 0.0) == 0
