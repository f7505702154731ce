"""Runs: items of work, their store, resuming, results."""

from shaketable.runs.events import Event
from shaketable.runs.replay import Replay, replay
from shaketable.runs.replay_others import replay_others
from shaketable.runs.run import Run, load_run, run

__all__ = ["Event", "Replay", "Run", "load_run", "replay", "replay_others", "run"]
