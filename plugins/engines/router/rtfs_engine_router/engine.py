"""The engine: a request's score in, the weak or the strong target out.

A fitted model (`model.py`) says which share of usual requests scores below this one: its rank, within 0 and 1. Requests
above a threshold go to `strong`, the others to `weak`. The threshold starts where the wished share lies above it, and
follows what comes (`fold`): requests here may be unlike those that the model was fitted to.

Following is stochastic approximation of a quantile (Robbins and Monro 1951): after each call the threshold moves by a
step that is `remote_share` down for one that went below it and the rest up for one above, so that it stands still
where the wished share is above it. The step shrinks with the number of calls, to a floor with which it follows drift.

Where the side that was chosen has no target left for a call, the other side is asked: quality or money, but an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from pathlib import Path

import attrs

from rtfs_engine_router.model import RouterModel, load_model
from rtfs_engine_router.settings import RouterSettings
from rtfs_framework.api import (
    CallContext,
    DelegationEngine,
    DelegationPlan,
    EngineSettings,
    LocalModel,
    Outcome,
    PlanSource,
    RemoteModel,
    State,
    compile_patterns,
    show_target,
)

NAME = "router"
CELL = "threshold"
_NOTE = "rank "
_MODELS = (LocalModel, RemoteModel)
_FIRST_STEP = 0.1
_LEAST_STEP = 0.005


class RouterEngine:
    """Chooses between two engines or targets by what a request is like."""

    __slots__ = ("_model", "_ours", "_own", "_sides")

    def __init__(self, settings: EngineSettings) -> None:
        """Read the model.

        Raises:
            FileError: There is none, or it is damaged.
        """
        self._own: RouterSettings = settings.own
        self._model: RouterModel = load_model(Path(settings.directory, self._own.router))
        self._ours = compile_patterns(tuple(self._own.symbols)) if self._own.symbols else None
        self._sides: dict[str, DelegationEngine] = {key: settings.children[key][0] for key in ("weak", "strong")}

    def claims(self) -> Iterable[str]:
        """Return the functions that its settings name; the host adds what the engines below it claim."""
        return tuple(self._own.symbols)

    def fingerprint(self) -> str:
        """Return what tells its model from another."""
        return self._model.digest

    def decide(self, context: CallContext) -> DelegationPlan | None:
        """Return the plan of the side that a request's score chooses; of the other where that side has none left."""
        if self._ours is not None and self._ours(context.symbol) is None:
            return None
        rank = self._model.rank(request_text(context))
        threshold = self._threshold(context)
        wished = "strong" if rank > threshold else "weak"
        where = "above" if wished == "strong" else "up to"
        why = f"the request's rank is {rank:.3f}, and {wished} is {where} {threshold:.3f}"
        tried = {attempt.target for attempt in context.attempts}
        usable = {candidate.target for candidate in context.candidates}
        for side in (wished, "weak" if wished == "strong" else "strong"):
            plan = self._sides[side].decide(context)
            if plan is None:
                why = f"{why}; the engine of {side} has no plan"
            elif plan.target in tried or (isinstance(plan.target, _MODELS) and plan.target not in usable):
                why = f"{why}; {show_target(plan.target)} is not left"
            else:
                return self._made(plan, why, rank)
        return None

    def _made(self, plan: DelegationPlan, why: str, rank: float) -> DelegationPlan:
        """Return a side's plan with the words of the choice, and with the rank for `fold` where the note is free."""
        reasoning = f"{why}: {plan.reasoning}"
        note = plan.note or f"{_NOTE}{rank:.4f}"
        source = PlanSource.ENGINE
        return attrs.evolve(plan, reasoning=reasoning, note=note, source=source, engine=plan.engine or NAME)

    def _threshold(self, context: CallContext) -> float:
        share = self._own.remote_share
        if share in (0.0, 1.0):
            return 1.0 - 2.0 * share if share else 1.0
        found = context.state(CELL) if self._own.adapt else None
        known = found.get("at") if isinstance(found, dict) else None
        return known if isinstance(known, float) and 0.0 <= known <= 1.0 else 1.0 - share

    # -- learning ------------------------------------------------------------------------------------------------------

    def initial(self) -> State:
        """Return the threshold of the fit."""
        return {CELL: {"at": 1.0 - self._own.remote_share, "calls": 0}}

    def fold(self, state: State, outcome: Outcome) -> State:
        """Return the state with the threshold after one more call: the first attempt counts, however it ended."""
        rank = _rank(outcome)
        if rank is None:
            return state
        cell = state[CELL]
        at, calls = cell["at"], cell["calls"] + 1
        step = max(_FIRST_STEP / sqrt(calls), _LEAST_STEP)
        share = self._own.remote_share
        moved = at + step * ((1.0 - share) if rank > at else -share)
        return {**state, CELL: {"at": min(max(moved, 0.0), 1.0), "calls": calls}}


def _rank(outcome: Outcome) -> float | None:
    """Return the rank of the request that an outcome is of, None where it is not ours to count."""
    if outcome.attempt != 0 or outcome.feedback is not None or not outcome.note.startswith(_NOTE):
        return None
    try:
        rank = float(outcome.note[len(_NOTE) :])
    except ValueError:
        return None
    return rank if 0.0 <= rank <= 1.0 else None


def request_text(context: CallContext) -> str:
    """Return the text that is scored: the arguments that are texts, and where none is, the request as it is sent."""
    texts = [argument for argument in context.args if isinstance(argument, str)]
    return "\n".join(texts) if texts else context.text
