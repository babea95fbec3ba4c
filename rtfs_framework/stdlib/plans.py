"""Plan steps as plain data: a step that another host may run is a map, so it prints, travels and reads back."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import type_error
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.table import builtin

_STEP, _ARGS = Keyword("plan-step"), Keyword("args")


@builtin(
    "plan-step",
    ("(plan-step :process [1 2])", "{:args [[1 2]] :plan-step :process}"),
    ("(plan-step :tick)", "{:args [] :plan-step :tick}"),
    ('(plan-step "process")', "!TypeError"),
    doc="Make a step of a plan: the name of a function of the program, and the data that it gets.",
)
def plan_step(name: ty.keyword, *data: Any) -> Map:
    if name.__class__ is not Keyword:
        raise type_error("plan-step", "keyword", name)
    return Map.wrap({_STEP: name, _ARGS: data})
