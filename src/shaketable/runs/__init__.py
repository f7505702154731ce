"""Runs: tasks, who measures them, the store, resuming, results."""

from shaketable.runs.events import Event
from shaketable.runs.replay import Replay, replay
from shaketable.runs.run import run
from shaketable.runs.stored_run import Run, load_run

__all__ = ["Event", "Replay", "Run", "load_run", "replay", "run"]
