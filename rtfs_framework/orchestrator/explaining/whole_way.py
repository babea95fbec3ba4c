"""The whole way of one call, as far as it can be known before it is made: for `explain --call`.

In: a host, a call, what is decided about it. Out: what was read with its values, the engines that spoke, candidates
with their prices and what excludes the other targets, the guards that a request would pass, and what would follow when
targets do not answer. Nothing is asked and nothing is sent; signals are those of now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from rtfs_framework.api.attempts import Attempt, FailureKind
from rtfs_framework.api.plans import Candidate
from rtfs_framework.api.targets import ExecTarget, LocalModel, LocalPure, RemoteModel, show_target
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.printer import write
from rtfs_framework.orchestrator.deciding.delegate import Delegator
from rtfs_framework.orchestrator.deciding.known import Undecided
from rtfs_framework.orchestrator.explaining.hedged import with_beside
from rtfs_framework.orchestrator.explaining.imagined import Past, decided, imagining
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.recording.plain import plain_of
from rtfs_framework.orchestrator.recording.records import Decision, Noted, Steps

_MOST_SHOWN = 200
_MOST_FOLLOWING = 8


@attrs.frozen(slots=True, kw_only=True)
class Way:
    """What is known of one call's way beyond its site."""

    reads: Steps = ()
    """What the engine read, and what that was."""
    path: tuple[str, ...] = ()
    """The engines that spoke, the outermost first."""
    candidates: Steps = ()
    """Targets, and what is known of them."""
    excluded: Steps = ()
    """Targets, and what excludes them."""
    guards: tuple[str, ...] = ()
    """What a request to the target passes before it is sent."""
    similar: Steps = ()
    """What the similar cache knows of such calls, and what it would do for this one."""
    follows: Steps = ()
    """If a target gives no answer (a time-out, say), what would be decided then, and why; the last is the end."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {field.name: [_listed(each) for each in getattr(self, field.name)] for field in attrs.fields(Way)}


def way_of(host: Host, delegator: Delegator, call: HostCall, found: Decision | Undecided) -> Way:
    """Return the way of a call about which this is decided, by what decides."""
    candidates, excluded = delegator.precedence.weighed()
    shown = tuple((show_target(each.target), _known(each)) for each in candidates)
    if isinstance(found, Undecided):
        reads = tuple((_named(read), _value((read, key, None), call)) for read, key in found.noted.items())
        return Way(reads=reads, candidates=shown, excluded=excluded)
    return Way(
        reads=tuple((_named(noted[0]), _value(noted, call)) for noted in found.footprint),
        path=found.path,
        candidates=shown,
        excluded=excluded,
        guards=_guards(host, found.plan.target),
        follows=tuple(_following(host, delegator, call, found)),
    )


def _following(host: Host, delegator: Delegator, call: HostCall, first: Decision) -> Iterator[tuple[str, str]]:
    """Yield what would be decided if one target after the other did not answer in time."""
    deciding, tried = imagining(delegator, delegator.signals), list[Attempt]()
    found: Decision | Undecided = first
    while isinstance(found, Decision) and isinstance(found.plan.target, LocalModel | RemoteModel):
        if len(tried) >= _MOST_FOLLOWING:
            return
        tried.append(Attempt(target=found.plan.target, kind=FailureKind.UNCERTAIN, seconds=0.001, reason="no answer"))
        before = found
        found = decided(deciding, call, Past(attempts=tuple(tried)))
        yield f"if {show_target(before.plan.target)} does not answer", _next(host, found)


def _next(host: Host, found: Decision | Undecided) -> str:
    if isinstance(found, Undecided):
        return f"{show_target(found.question.target)} would be asked first"
    if found.exhausted == "error":
        return f"the error ({found.plan.reasoning})"
    target = "own body" if isinstance(found.plan.target, LocalPure) else with_beside(host, found.plan)
    after = f" after {found.plan.delay:.2f} s" if found.plan.delay else ""
    return f"{target}{after} ({found.plan.reasoning})"


def _guards(host: Host, target: ExecTarget) -> tuple[str, ...]:
    instance = host.pool.get(target)
    gate = host.dispatcher.models.sender.gate
    return () if instance is None else tuple(check.name for check in gate.of(instance))


def _known(candidate: Candidate) -> str:
    """Return what is known of a candidate, in words."""
    known = [candidate.model] if candidate.model else []
    prices = candidate.input_cost, candidate.output_cost
    if prices != (None, None):
        shown = " in, ".join("?" if price is None else f"${price:g}" for price in prices)
        who = f" ({candidate.priced_by})" if candidate.priced_by else ""
        known.append(f"{shown} out per million tokens{who}")
    if candidate.quality is not None:
        known.append(f"quality {candidate.quality:g}")
    known += ["idempotent"] if candidate.idempotent else []
    known += [f'"{_short(candidate.description)}"'] if candidate.description else []
    return ", ".join(known)


def _named(read: tuple[str, ...]) -> str:
    name, *more = read
    if name == "consult":
        return f"words of {' '.join(more[:2])}"
    if name == "similarity":
        return f"how near {len(more) - 1} texts are to one"
    return f"{name} of {' '.join(more)}" if more else name


def _value(noted: Noted, call: HostCall) -> str:
    read, key, value = noted
    if read[0] == "args":
        return _short(write(call.args))
    if read[0] == "text":
        return "the request as a provider would see it"
    if read[0] in ("embedding", "semantic_hash") and not isinstance(key, str | int):
        return "none"
    if read[0] == "embedding":
        return "the vector of the request"
    if read[0] == "consult":
        return _short(key) if isinstance(key, str) else "no answer yet"
    plain = plain_of(key if value is None else value)
    if isinstance(plain, dict):
        return ", ".join(f"{name} {item}" for name, item in plain.items() if item not in (None, "", {}, []))
    if isinstance(plain, list):
        return _short(" ".join(map(str, plain)))
    return "nothing known" if plain is None else _short(str(plain))


def _short(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _listed(each: Any) -> Any:
    return list(each) if isinstance(each, tuple) else each
