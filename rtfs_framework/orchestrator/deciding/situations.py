"""The situation of a call, for layers of L3: of a call that is decided, and of one whose outcome is written down.

In: a function, a call, who asks, the surroundings. Out: a `Situation` with the intent in words: whoever keeps it puts a
keyed digest in its place. What a decision reads of it is noted part by part (`PARTS`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rtfs_framework.api.experience import MOST_TEXT, Facts, Situation
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.orchestrator.deciding.said import said_of
from rtfs_framework.orchestrator.deciding.type_names import type_name

if TYPE_CHECKING:
    from rtfs_framework.kernel.outcome import HostCall
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.deciding.around import Around
    from rtfs_framework.orchestrator.deciding.facts import Asker
    from rtfs_framework.orchestrator.deciding.reads import Reads

PARTS = ("types", "agent", "environment", "constraints", "time_class", "labels", "metadata")
"""The reads on which a situation rests, beside the function."""
INTENT = "intent"
"""The fact of `DelegationMetadata.context` that says what a call is for."""
_MOST_TYPES, _LONGEST_TYPE = 8, 60
_LONGEST_SIGNATURE = 200
_MOST_FACTS, _LONGEST_FACT = 8, 40
_PARTS_OF_NAMES = re.compile(r"[^\w]+|_+|(?<=[a-z])(?=[A-Z])")


def read_situation(reads: Reads) -> Situation:
    """Return the situation of a call as its decision reads it."""
    types, user, environment, constraints, hours, labels, said = (reads.look((name,))[1] for name in PARTS)
    function = reads.facts.function
    return Situation(
        symbol=function.name,
        text=function_text(function),
        signature=signature_of(function),
        types=_cut_types(types),
        user=user,
        environment=facts_of(environment),
        constraints=facts_of(constraints),
        time_class=hours,
        intent=said.context.get(INTENT, ""),
        labels=tuple(sorted(labels)),
    )


def situation_of(function: FunctionSignature, call: HostCall, asker: Asker, around: Around) -> Situation:
    """Return the situation of a call that is made: equal to what its decision reads."""
    return Situation(
        symbol=function.name,
        text=function_text(function),
        signature=signature_of(function),
        types=_cut_types(tuple(map(type_name, call.args))),
        user=around.agent,
        environment=facts_of(around.environment),
        constraints=facts_of(around.constraints),
        time_class=around.time_class,
        intent=said_of(function, call.hints, asker.metadata).context.get(INTENT, ""),
        labels=tuple(sorted(asker.labels)),
    )


def function_text(function: FunctionSignature) -> str:
    """Return what a function says of itself, in words: by it alike functions are found."""
    name = " ".join(filter(None, _PARTS_OF_NAMES.split(function.name)))
    return f"{name}. {function.doc}"[:MOST_TEXT]


def signature_of(function: FunctionSignature) -> str:
    """Return a function's declared types: they are compared as they are, for as words they make all functions alike."""
    takes = ", ".join(
        each.name if each.type is None else f"{each.name} {show_type(each.type)}" for each in function.parameters
    )
    gives = "" if function.returns is None else f" -> {show_type(function.returns)}"
    return f"{takes}{gives}"[:_LONGEST_SIGNATURE]


def facts_of(found: Mapping[str, str]) -> Facts:
    """Return facts as they are compared and kept."""
    kept = sorted(found.items())[:_MOST_FACTS]
    return tuple((name[:_LONGEST_FACT], said[:_LONGEST_FACT]) for name, said in kept)


def _cut_types(types: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each[:_LONGEST_TYPE] for each in types[:_MOST_TYPES])
