"""Which target's description a function's documentation is nearest to, by meaning; no model is asked.

In: what the function is, and what the targets are good at, in their owner's words. Out: the nearest, how sure that is,
and the others with their figures; or why nothing is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

import attrs

from rtfs_framework.api import CallContext, Candidate, ExecTarget, Scored

_SCALE = 0.05
"""How much nearer makes e times as likely: fitted on `benchmarks/routing_contexts`, the part for fitting."""
_NOWHERE = -1.0
"""The figure of what an embedder in front has ruled out."""
MOST_DOC = 1_000


@attrs.frozen(slots=True)
class Fitting:
    """The nearest of the targets."""

    name: str
    confidence: float
    others: tuple[Scored, ...]


def nearest(
    context: CallContext, targets: Mapping[str, tuple[ExecTarget, Candidate | None]], request: str | None
) -> Fitting | str:
    """Return the target that fits best, or why none is chosen. `request` is what is looked at of the call besides."""
    said = {name: known.description for name, (_, known) in targets.items() if known is not None and known.description}
    if len(said) < 2:
        return "fewer than two of the targets have a 'description'"
    figures = context.similarity(_about(context, request), tuple(said.values()))
    if figures is None:
        return "there is no embedder that compares ([delegation] embedder)"
    by_name = dict(zip(said, figures, strict=True))
    best = max(by_name, key=by_name.__getitem__)  # of equals the first, as the configuration has them
    if by_name[best] <= _NOWHERE:
        return "no description is near the function's documentation"
    likely = {name: exp((figure - by_name[best]) / _SCALE) for name, figure in by_name.items()}
    others = tuple(Scored(targets[name][0], figure) for name, figure in by_name.items() if name != best)
    return Fitting(best, 1.0 / sum(likely.values()), others)


def _about(context: CallContext, request: str | None) -> str:
    """Return a function in words: its name, then its documentation."""
    name = context.function.name.rpartition("/")[2].replace("-", " ").strip() or context.function.name
    about = f"{name}. {(context.function.doc or '')[:MOST_DOC]}".strip()
    return about if request is None else f"{about}\n{request}"
