"""The marks of sources, as the analysis of a program names them (`lang.flows`): of one call as it is made, or of any.

In: the sources that may be seen at a place. Out: marks. What is known of a run counts: which of its arguments carry
marks, and what the calls of each place were answered so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.lang.flows.model import SHAPE, Context, Input, Parameter, ReplyOf, Source

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.deciding.labels import Marks, Paths
    from rtfs_framework.orchestrator.recording.floating import Floating


def of_run(floating: Floating, marks: Marks, sources: Iterable[Source]) -> Label:
    """Return the marks that sources have in a run, as far as it has come."""
    found = PUBLIC
    for source in sources:
        match source:
            case Input(path=path):
                found |= of_path(path, floating.inputs)
            case Parameter():
                found = found.union(*(each for _, each in floating.inputs))
            case ReplyOf(site=site):
                found |= floating.replies.get(site, PUBLIC)
            case Context(name=name):
                found |= _of_context(name, floating.context, marks)
    return found & floating.label


def of_any(marks: Marks, sources: Iterable[Source], replies: Mapping[str, Label] | None = None) -> Label:
    """Return the marks that sources may have in any run; `replies` are those of what answers at each place."""
    inputs: Paths = tuple((() if path == ("*",) else path, each) for path, each in marks.spec.inputs.items())
    found = PUBLIC
    for source in sources:
        match source:
            case Input(path=path, parameter=parameter):
                found |= of_path(path, inputs) | marks.spec.inputs.get((parameter,), PUBLIC)
            case Parameter(name=name):
                found |= marks.spec.inputs.get((name,), PUBLIC).union(*(each for _, each in inputs))
            case ReplyOf(site=site):
                found |= PUBLIC if replies is None else replies.get(site, PUBLIC)
            case Context(name=name):
                found |= _of_context(name, {}, marks)
    return found


def of_path(path: tuple[str, ...], inputs: Paths) -> Label:
    """Return the marks of what stands at a path: of all above it, and of all below it unless only its shape counts."""
    shape = path[-1:] == (SHAPE,)
    path = path[:-1] if shape else path
    found = PUBLIC
    for marked, marks in inputs:
        above = path[: len(marked)] == marked
        if above or (not shape and marked[: len(path)] == path):
            found |= marks
    return found


def _of_context(name: str, known: Mapping[str, Label], marks: Marks) -> Label:
    if name:
        return known.get(name, marks.of_context(name))
    return PUBLIC.union(*known.values(), *marks.spec.context.values())
