"""Plans: what is run, made in Python or read from YAML."""

from shaketable.plan.plan import Plan

__all__ = ["Plan"]
