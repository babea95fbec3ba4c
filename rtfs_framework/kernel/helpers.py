"""Where the helpers are that generated code calls by name. Only those that a program names are imported: a few."""

from __future__ import annotations

import sys
from _operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OPERATORS = "add sub mul div lt gt le ge"
_SUPPORT = (
    "bounded check_growth fail no_match frozen frozen_map spread spread_rest tail as_map map_rest text again rows"
)

_HELPERS: dict[str, dict[str, str]] = {
    "rtfs_framework.kernel.checkers": {"rt_check_all": "check_all", "rt_fits": "fits"},
    "rtfs_framework.kernel.effects": {
        "rt_hints_depth": "hints_depth",
        "rt_hint": "hint",
        "rt_hints_leave": "hints_leave",
    },
    "rtfs_framework.kernel.faults": {"rt_error": "to_error"},
    "rtfs_framework.kernel.support": {
        **{f"rt_{name}": name for name in _SUPPORT.split()},
        "rt_callable": "callable_of",
        "rt_keyword": "keyword_call",
        "rt_rows": "ROWS",
    },
    "rtfs_framework.lang.error_kinds": {"rt_is_kind": "takes"},
    "rtfs_framework.lang.maps": {
        "rt_equal": "equal",
        "rt_key": "to_key",
        "rt_map": "Map",
        "rt_map_of": "Map.of",
        "rt_plain": "PLAIN",
        "rt_set": "Set.of",
        "rt_wrap": "Map.wrap",
    },
    "rtfs_framework.lang.meter": {"rt_charge": "charge"},
    "rtfs_framework.lang.values": {"rt_reduced_value": "Reduced"},
    "rtfs_framework.lang.vectors": {"rt_grown": "GrownVector"},
    "rtfs_framework.stdlib.callables": {"rt_arities": "of_arities"},
    "rtfs_framework.stdlib.check": {"rt_for_items": "placed", "rt_sequence": "sequence"},
    "rtfs_framework.stdlib.higher_order": {"rt_reduced": "something_reduced"},
    "rtfs_framework.stdlib.operators": {f"op_{name}": name for name in _OPERATORS.split()},
    "rtfs_framework.stdlib.slices": {"rt_alike": "alike", "rt_nothing": "NOTHING"},
    "types": {"rt_function": "FunctionType"},
}

_INTERNAL: dict[str, dict[str, str]] = {
    "rtfs_framework.kernel.effects": {"%declassify": "declassify"},
    "rtfs_framework.kernel.tickets": {"%ticket": "ticket"},
    "rtfs_framework.kernel.steps": {
        "%llm-execute": "llm_execute",
        "%step": "step",
        "%step-loop": "step_loop",
        "%step-parallel": "step_parallel",
    },
    "rtfs_framework.kernel.support": {
        "%for": "for_each",
        "%dotimes": "do_times",
        "%times": "times",
        "%list": "quasi_list",
        "%vector": "quasi_vector",
        "%map": "quasi_map",
    },
    "rtfs_framework.stdlib.sequences_more": {"%range": "integers_of_range"},
}


def _placed(table: dict[str, dict[str, str]]) -> dict[str, tuple[str, str]]:
    return {helper: (module, name) for module, names in table.items() for helper, name in names.items()}


HELPERS = _placed(_HELPERS)
"""Helpers that are the same for every program: each by the module and the name that it has there."""

INTERNAL = _placed(_INTERNAL)
"""Builtins that lowered forms call; programs cannot name them."""

ASKING = frozenset(
    {*_HELPERS["rtfs_framework.kernel.effects"], *_INTERNAL["rtfs_framework.kernel.steps"], "%declassify", "%ticket"}
)
"""Those of both that may ask the host."""


def helper(place: tuple[str, str]) -> Any:
    """Return what a place of `HELPERS` or `INTERNAL` has."""
    module, name = place
    __import__(module)
    return attrgetter(name)(sys.modules[module])
