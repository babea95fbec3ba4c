"""`[serve.models]`: what clients of the OpenAI API mean by the name of a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.orchestrator.config.serve import CHAT, EMBED, ModelSpec

if TYPE_CHECKING:
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.api.toml_places import KeyPath

_SYMBOL = re.compile(r"host/[A-Za-z][A-Za-z0-9_.-]{0,99}")
_WAY_OUT = (
    f'write one of  function = "{CHAT}"  (or another name in host/),  target = "remote-..."  and  program = "x.rtfs", '
    'function = "answer"'
)


@attrs.frozen(slots=True, kw_only=True)
class ModelTable:
    """`[serve.models.<name>]`: a function of the host's, a target, or a program's function."""

    function: str = ""
    """The function that answers."""
    program: str | None = None
    """The file that it is in. None: it is one of the host's."""
    target: str | None = None
    """The model that answers, instead of a function."""


def read_models(
    mistake: Callable[..., None],
    tables: Mapping[str, ModelTable],
    target: Callable[[str, KeyPath], ExecTarget],
    file: Callable[[str, KeyPath], str | None],
) -> tuple[ModelSpec, ...]:
    """Return the models that tables speak of; mistakes are noted: (code, message, path, way out)."""
    made = []
    for name, table in tables.items():
        path: KeyPath = ("serve", "models", name)
        wrong = _why_not(table)
        if wrong is not None:
            mistake("E0705", f"the model '{name}' {wrong[0]}", (*path, *wrong[1:]), _WAY_OUT)
            continue
        aim = None if table.target is None else target(table.target, (*path, "target"))
        program = None if table.program is None else file(table.program, (*path, "program"))
        if program is not None and not Path(program).is_file():
            mistake(
                "E0705", f"there is no program {program}", (*path, "program"), "write a path from this file's folder"
            )
        made.append(ModelSpec(name=name, function=table.function or CHAT, program=program, target=aim))
    return tuple(made)


def _why_not(table: ModelTable) -> tuple[str, ...] | None:
    """Return what is wrong with a table, and at which key."""
    if table.target is not None:
        both = table.program is not None or table.function
        return ("has a target, and something else, too", "target") if both else None
    if table.program is not None:
        return None if table.function else ("does not say which function of its program answers", "program")
    if not table.function:
        return ("says nothing",)
    if table.function != EMBED and _SYMBOL.fullmatch(table.function) is None:
        return (f"names '{table.function}', which is no function in host/, and no program", "function")
    return None
