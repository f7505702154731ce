"""Plans: what is run, made in Python or read from YAML."""

from shaketable.plan.load import LoadedPlan, check_plan, load_plan, load_zoo_plan, plan_from
from shaketable.plan.override import override
from shaketable.plan.plan import Plan
from shaketable.plan.templates import example_plan

__all__ = [
    "LoadedPlan",
    "Plan",
    "check_plan",
    "example_plan",
    "load_plan",
    "load_zoo_plan",
    "override",
    "plan_from",
]
