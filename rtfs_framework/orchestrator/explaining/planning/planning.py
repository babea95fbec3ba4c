"""Deciding for all call sites of a program at once, before it runs.

In: a host and a program. Out: a `ProgramPlan`: where the calls at each place go, and what that rests on. Engines are
asked with a few values of the parameters' types. Where a decision reads the arguments themselves it is left to each
call; what it reads of the present (health, prices, what is left) is settled as it is now. Questions to models are put
together.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.plans import PlanSource
from rtfs_framework.api.targets import ExecTarget, L4CacheHit, LocalModel, LocalPure, RemoteModel, show_target
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.signature import CallSite, FunctionSignature, SiteKind
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.deciding.delegate import MOST_CONSULTATIONS, Delegator
from rtfs_framework.orchestrator.deciding.known import Undecided
from rtfs_framework.orchestrator.deciding.pinned import place_text
from rtfs_framework.orchestrator.explaining.planning.asking import Asking
from rtfs_framework.orchestrator.explaining.samples import samples
from rtfs_framework.orchestrator.running.linking import compile_for
from rtfs_framework.orchestrator.running.pinning import candidates_of, policy_of

if TYPE_CHECKING:
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.deciding.facts import Question
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.recording.records import Decision
    from rtfs_framework.orchestrator.running.portal import Portal
    from rtfs_framework.orchestrator.running.uses import Use

Wait = Callable[[Coroutine[Any, Any, Any]], Any]
"""Runs a coroutine to its end."""

_CONTENT = frozenset({"args", "text", "embedding", "semantic_hash"})
"""Reads of what a call is about: nobody can settle these before it is made."""
_SETTLED = frozenset({PlanSource.POLICY, PlanSource.HINT})


@attrs.frozen(slots=True, kw_only=True)
class PlannedSite:
    """One call site."""

    symbol: str
    function: str
    """The function's digest."""
    at: str
    inside: str = ""
    target: ExecTarget | None = None
    """None: it is decided when it is called."""
    source: str = ""
    why: str = ""
    looked_at: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        target = None if self.target is None else target_text(self.target)
        return {**attrs.asdict(self, recurse=False), "target": target, "looked_at": list(self.looked_at)}


@attrs.frozen(slots=True, kw_only=True)
class ProgramPlan:
    """Where the calls of a program go."""

    program: str
    """Its file, without the folder."""
    sites: tuple[PlannedSite, ...] = ()
    policy: Mapping[str, str] = attrs.field(factory=dict)
    candidates: Mapping[str, str] = attrs.field(factory=dict)
    questions: int = 0
    """How many requests were put to models."""
    cost: float | None = 0.0
    """US dollars, None when it is not known."""
    run: str = ""
    """Under which the journal has the questions, "" for none."""

    @property
    def text(self) -> str:
        """The file, for people to read and programs to go by."""
        from rtfs_framework.orchestrator.explaining.planning.text import plan_text

        return plan_text(self)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        found = {field.name: getattr(self, field.name) for field in attrs.fields(ProgramPlan)}
        sites = [each.to_json() for each in self.sites]
        return {**found, "sites": sites, "policy": dict(self.policy), "candidates": dict(self.candidates)}


def plan_program(use: Use, portal: Portal, host: Host, source: Source, limits: Limits) -> ProgramPlan:
    """Return the plan of a program; the models that are asked are waited for.

    Raises:
        LanguageError: The program has mistakes.
    """
    return plan_artifact(host, compile_for(host, source, limits), lambda asked: portal.run(asked, use))


def plan_artifact(host: Host, artifact: Artifact, wait: Wait) -> ProgramPlan:
    """Return the plan of a compiled program."""
    deciding = attrs.evolve(host.dispatcher.delegator, pinned=None)
    known = {each.name: each for each in artifact.signatures}
    sites = [each for each in artifact.sites if each.kind is SiteKind.FUNCTION and each.name in known]
    sites.sort(key=lambda site: (site.place.source, site.place.line, site.place.column))
    names = dict.fromkeys(str(site.name) for site in sites)
    asking = Asking(host, artifact.digest, artifact.source.name)
    claimed = [known[name] for name in names if deciding.claims(known[name])]
    with asking:
        verdicts = _decide(deciding, claimed, asking, wait)
    return ProgramPlan(
        program=PurePath(artifact.source.name).name,
        sites=tuple(_sites(sites, verdicts, known)),
        policy=policy_of(host),
        candidates=candidates_of(host),
        questions=asking.asked,
        cost=asking.cost,
        run=asking.run,
    )


@attrs.define(slots=True)
class _Asked:
    """What is decided about a function, for each of the arguments that it was asked about with."""

    answers: list[Decision | Undecided]

    @property
    def read(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for each in self.answers:
            noted = each.noted if isinstance(each, Undecided) else [read for read, _, _ in each.footprint]
            found.update(dict.fromkeys(name for name, *_ in noted))
        return tuple(found)

    @property
    def waits(self) -> list[Question]:
        if _CONTENT.intersection(self.read):  # it is left to each call, so nobody is asked for it
            return []
        return [each.question for each in self.answers if isinstance(each, Undecided)]


def _decide(deciding: Delegator, functions: list[FunctionSignature], asking: Asking, wait: Wait) -> dict[str, _Asked]:
    found: dict[str, _Asked] = {}
    for function in functions:
        calls = [
            HostCall(CallKind.DELEGATED, function.name, args, function) for args in samples(function.parameters) or [()]
        ]
        found[function.name] = _Asked([deciding.decide(each) for each in calls])
    for _ in range(MOST_CONSULTATIONS):
        questions = dict.fromkeys(question for each in found.values() for question in each.waits)
        if not questions:
            break
        heard: dict[Question, str | None] = wait(asking.hear(questions))
        for asked in found.values():
            waits = set(asked.waits)
            asked.answers = [
                deciding.go_on(each, heard[each.question])
                if isinstance(each, Undecided) and each.question in waits
                else each
                for each in asked.answers
            ]
    return found


def _sites(
    sites: list[CallSite], verdicts: Mapping[str, _Asked], known: Mapping[str, FunctionSignature]
) -> Iterator[PlannedSite]:
    for site in sites:
        name = str(site.name)
        asked = verdicts.get(name)
        if asked is None:
            continue
        yield PlannedSite(
            symbol=name,
            function=known[name].body_digest,
            at=place_text(site.place),
            inside=site.inside,
            looked_at=asked.read,
            **_settled(asked),
        )


def _settled(asked: _Asked) -> dict[str, Any]:
    """Return the target of all calls, or why there is none; where from, and why."""
    content = [name for name in asked.read if name in _CONTENT]
    if content:
        return {"why": f"the engine looks at what a call is about ({', '.join(content)})"}
    made = [each for each in asked.answers if not isinstance(each, Undecided)]
    if len(made) < len(asked.answers):
        return {"why": "the engine asks more than can be answered before the call"}
    fault = next((each.fault for each in made if each.fault), "")
    if fault:
        return {"why": f"the engine could not be asked: {fault}"}
    first, source = made[0].plan, made[0].plan.source
    if source in _SETTLED:
        return {"why": f"{first.reasoning} goes before any plan", "source": source.value}
    targets = dict.fromkeys(show_target(each.plan.target) for each in made)
    if len(targets) > 1:
        return {"why": f"it depends on the call: {', '.join(targets)}"}
    if not isinstance(first.target, LocalPure | LocalModel | RemoteModel | L4CacheHit):
        return {"why": f"{show_target(first.target)}: decided when it is called"}
    return {"target": first.target, "why": first.reasoning, "source": source.value}
