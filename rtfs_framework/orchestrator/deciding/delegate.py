"""Where a call of a delegatable function runs: deny > hint > pinned plan > static route > L1 plan > engine > default.

Static routes stand there where the configuration names no engine; where it does, `static` reads them in its tree.

In: a `HostCall`. Out: a `Decision` (a plan and every step that led to it), or `Undecided` when the engine wants to
hear a model first. Invariants: a hint and a static route never consult an engine or a cache; security only narrows; a
plan from memory is served only where everything that its engine read is the same (`context`, `plan_tree`), and of the
same function and policy. What an engine cannot decide runs as the function's own body, never elsewhere, whatever the
default target is; the record and a warning say so.

A plan is provisional until a call has succeeded on it: equal calls under way share it, and a failure drops it.
Whatever depends on nothing but the function is settled once per function; a decision is then two look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.cache import CacheInfo, CacheKey
from rtfs_framework.api.plans import DelegationPlan, PlanSource
from rtfs_framework.api.targets import Deny, LocalPure, show_target
from rtfs_framework.api.values import Clock
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.arity import Shape
from rtfs_framework.lang.frozen import changer
from rtfs_framework.lang.library import DESCRIBED
from rtfs_framework.lang.signature import FunctionSignature, HintKind
from rtfs_framework.orchestrator.deciding.after import at_end, decide_after, resting, wrong_after
from rtfs_framework.orchestrator.deciding.around import NOTHING_AROUND, Around
from rtfs_framework.orchestrator.deciding.engines import Engine, flaw_of
from rtfs_framework.orchestrator.deciding.facts import Asker, Facts, Question, Wording
from rtfs_framework.orchestrator.deciding.kept_info import answer_info, plan_info
from rtfs_framework.orchestrator.deciding.known import NO_ANSWERS, Known, Undecided
from rtfs_framework.orchestrator.deciding.learned import NOTHING_LEARNED, Learned
from rtfs_framework.orchestrator.deciding.pinned import Pinned, decided_before
from rtfs_framework.orchestrator.deciding.plan_tree import Leaf, PlanTree
from rtfs_framework.orchestrator.deciding.precedence import Precedence
from rtfs_framework.orchestrator.deciding.readings import UNKEPT, why_unkept
from rtfs_framework.orchestrator.deciding.reads import Reads
from rtfs_framework.orchestrator.deciding.shadow import Shadow
from rtfs_framework.orchestrator.deciding.signals import NO_SIGNALS, Signals
from rtfs_framework.orchestrator.recording.records import Decision, Grounds, Shadowed, Steps
from rtfs_framework.orchestrator.remembering.keys import key_of
from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer
from rtfs_framework.registry.faults import Part, PluginFault

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.deciding.facts import AnyEmbedder

MOST_CONSULTATIONS = 2
"""Per call; an engine that wants more is broken."""

_MOST_FUNCTIONS = 512
"""Functions remembered; programs that make more (anonymous ones, in loops) start over."""

MOST_LEAVES = 16_384
"""Places of plans, all functions together; then all start over. The plans themselves lie in the L1 layer."""

Report = Callable[[Part, "BaseException | str", str, str], None]
"""Told when a plugin broke: who, what was wrong, in which piece of its code, and what happened instead."""

_stamped = changer(DelegationPlan, "source", "engine", "created_at")
"""A plan with who made it and when."""

_AFTER = "not asked: something was tried before"
_OWN_BODY = "the function's own body ran instead"
_IMPURE = "reads other things after equal reads: its decisions rest on something else, and are not kept"
_ENGINE_SOURCES = frozenset({PlanSource.STATIC_ROUTE, PlanSource.DEFAULT})
"""What an engine may say of its plan besides that it is the engine's."""


@attrs.define(slots=True, kw_only=True)
class Delegator:
    """Decides, for one policy."""

    precedence: Precedence
    engine: Engine | None
    l1: SafeLayer | None
    policy_hash: str
    runtime_context_hash: str = ""
    tenant: str = ""
    signals: Signals = NO_SIGNALS
    embedder: AnyEmbedder | None = None
    around: Around = NOTHING_AROUND
    learned: Learned = NOTHING_LEARNED
    wording: Wording = str
    clock: Clock
    report: Report
    pinned: Pinned | None = None
    """A plan of the whole program that was made before."""
    shadow: Shadow | None = None
    labels: tuple[tuple[str, str], ...] = ()  # what all keys hold of its calls' marks; nothing where they are public
    away: bool = False  # there is an L1, and this one does not look at it
    reads: Callable[..., Reads] = Reads
    """Makes the reads of one decision, from what `Reads` takes: of a call, or of what a journal says of one."""
    _by_identity: dict[int, Known] = attrs.field(factory=dict, init=False)
    _trees: dict[tuple[str, str, Shape], PlanTree] = attrs.field(factory=dict, init=False)
    """By symbol, digest and arity: the same function of another program has the same plans."""
    _leaves: int = attrs.field(default=0, init=False)

    def claims(self, function: FunctionSignature) -> bool:
        """Tell whether a call of a function may ever need a decision; asked once, at link time.

        A function that its author keeps `:local` never does, unless a rule denies it.
        """
        if function.hint is None:
            return self.may_claim(function.name) or self.precedence.goes_there(function)
        local = function.hint.kind is HintKind.LOCAL
        return not local or self.precedence.security.authorize_function(function.name) is not None

    def may_claim(self, name: str) -> bool:
        """Tell whether a rule, a route, the default target or the engine speaks of a function without a hint.

        Raises:
            PluginFault: The engine could not be asked.
        """
        if name == DESCRIBED:
            return self.precedence.found is not None
        if self.precedence.touches(name) or (self.pinned is not None and name in self.pinned.symbols):
            return True
        return self.engine is not None and self.engine.claims().match(name) is not None

    def decide(self, call: HostCall, asker: Asker | None = None) -> Decision | Undecided:
        """Return the decision for a call, before anything was tried for it."""
        function = call.function
        known = self._by_identity.get(id(function))
        if known is None or known.facts.function is not function:
            known = self._learn(call, asker)
        if self.pinned is not None:
            pinned = decided_before(self.pinned, known, call, self.precedence)
            if pinned is not None:
                return pinned
        if known.fixed is not None:
            return known.fixed
        leaf, reads = known.tree.only, None
        if leaf is None:
            reads = self.reads(known.facts, call, self._answer_from_memory, asker)
            leaf = None if self.l1 is None else known.tree.find(reads)
        found = None if leaf is None or self.l1 is None else self._from_memory(known, leaf)
        if found is not None:
            return found
        return self._ask(known, reads or self.reads(known.facts, call, self._answer_from_memory, asker), {})

    def again(
        self, call: HostCall, asker: Asker, answers: Mapping[Question, str | None] = NO_ANSWERS
    ) -> Decision | Undecided:
        """Return what follows the latest attempt of a call: failure is another decision. L1 has no say in it."""
        known, ask = self._learn(call, asker), None
        if known.fixed is None and self.engine is not None and self.engine.claims().match(known.facts.function.name):

            def ask(steps: Steps) -> Decision | Undecided:
                reads = self.reads(known.facts, call, self._answers(answers), asker)
                return self._ask(known, reads, answers, before=steps)

        return resting(decide_after(self.precedence, known, call, asker, ask), call, asker)

    def _answers(self, answers: Mapping[Question, str | None]) -> Callable[[Question], tuple[str | None] | None]:
        def answer_to(question: Question) -> tuple[str | None] | None:
            return (answers[question],) if question in answers else self._answer_from_memory(question)

        return answer_to

    def go_on(self, asked: Undecided, answer: str | None) -> Decision | Undecided:
        """Return the decision after a consultation, or the engine's wish for another one; no answer is None."""
        answers = {**asked.answers, asked.question: answer}
        if answer is not None and self.l1 is not None:
            self.l1.put(self._answer_key(asked.question), answer, info=answer_info(asked))
        known = self._learn(asked.call, asked.asker)
        reads = self.reads(known.facts, asked.call, self._answers(answers), asked.asker)
        return resting(self._ask(known, reads, answers, asked), asked.call, asked.asker)

    def beside(self, call: HostCall, asker: Asker) -> Shadowed | None:
        """Return what the engine beside the real one would decide; None where no engine has a say."""
        if self.shadow is None:
            return None
        known = self._learn(call, asker)
        if known.fixed is not None:
            return None
        return self.shadow.decide(known.facts, call, asker, self._answer_from_memory)

    def preview(self, call: HostCall, *, quiet: bool = False, asker: Asker | None = None) -> Decision | Undecided:
        """Return what `decide` would, without looking into L1 or writing to it: for explanations.

        `quiet` reports no fault of the engine: it is asked with arguments that no program gave it.
        """
        report = _tell_nobody if quiet else self.report
        return attrs.evolve(self.looking_away(), report=report).decide(call, asker)

    def looking_away(self) -> Delegator:
        """Return what decides the same without looking into L1 or writing to it."""
        return attrs.evolve(self, l1=None, away=self.away or not (self.l1 is None or self.l1.broken))

    @property
    def engine_name(self) -> str:
        """The engine's name in the configuration, "" without one."""
        return "" if self.engine is None else self.engine.name

    def forget(self) -> None:
        """Drop what is known of functions, and their plans."""
        self._by_identity.clear()
        self._trees.clear()
        self._leaves = 0

    def _learn(self, call: HostCall, asker: Asker | None) -> Known:
        function = call.function or FunctionSignature(call.capability)
        place = function.name, function.body_digest, function.shape
        tree = self._trees.get(place)
        if tree is None:
            if len(self._trees) >= _MOST_FUNCTIONS:
                self.forget()
            tree = self._trees[place] = PlanTree(self.signals)
        precedence = self.precedence
        candidates, excluded = precedence.offered(function, None if self.engine is None else asker)
        facts = Facts(
            function,
            candidates,
            precedence.default_target,
            self.runtime_context_hash,
            self.wording,
            self.tenant,
            self.signals,
            precedence.security.permissions,
            self.embedder,
            self.learned,
            around=self.around,
        )
        grounds = Grounds(function, self.policy_hash, candidates, excluded)
        fixed, steps = precedence.settle(function)
        if fixed is None and self.engine is None:
            fixed = precedence.default((*steps, ("engine", "none installed")), function)
        known = Known(facts, grounds, tree, None if fixed is None else attrs.evolve(fixed, grounds=grounds), steps)
        if call.function is not None:
            if len(self._by_identity) >= _MOST_FUNCTIONS:
                self._by_identity.clear()
            self._by_identity[id(function)] = known
        return known

    # -- plans from memory ---------------------------------------------------------------------------------------------

    def _from_memory(self, known: Known, leaf: Leaf) -> Decision | None:
        if leaf.silent is not None:
            return leaf.silent
        shared = leaf.provisional
        if shared is not None:
            return self._of_memory(known, leaf, shared, "shared with an equal call under way")
        record = None if self.l1 is None else self.l1.get(leaf.key)
        if record is None:
            return None
        hit = leaf.hit
        if hit is not None and record.value is hit[0]:
            return hit[1]
        wrong = flaw_of(record.value)
        if wrong is None and isinstance(record.value, DelegationPlan):
            decision = self._of_memory(known, leaf, record.value, "hit")
            leaf.hit = record.value, decision
            return decision
        if self.l1 is not None:
            self.l1.blame("`get`", f"returned {wrong or 'no plan'}", leaf.key)
        return None

    def _of_memory(self, known: Known, leaf: Leaf, stored: DelegationPlan, verdict: str) -> Decision:
        reviewed, note = self.precedence.review(stored)
        plan = attrs.evolve(reviewed, source=PlanSource.L1)
        steps = (*known.before, ("l1", f"{verdict}: {show_target(plan.target)}, decided by engine '{plan.engine}'"))
        if note is not None:
            steps = (*steps, ("security", note))
        return Decision(plan, steps, "l1 hit", leaf.key.digest, grounds=known.grounds, stands_on=leaf.made)

    def _answer_from_memory(self, question: Question) -> tuple[str | None] | None:
        record = None if self.l1 is None else self.l1.get(self._answer_key(question))
        return (record.value,) if record is not None and isinstance(record.value, str) else None

    def _answer_key(self, question: Question) -> CacheKey:
        target = show_target(question.target)
        parts = ("policy", self.policy_hash), ("target", target), ("question", question.key), *self.labels
        return CacheKey("answer", key_of(*(text for part in parts for text in part)), parts)

    def _plan_key(self, known: Known, reads: Reads) -> CacheKey:
        function = known.facts.function
        parts = [("symbol", function.name), ("function", function.body_digest), ("arity", str(function.shape))]
        parts += [("policy", self.policy_hash), *self.labels]
        parts += [(repr(read), str(key)) for read, key in reads.noted.items()]
        return CacheKey("plan", key_of(*(text for part in parts for text in part)), tuple(parts))

    # -- plans of the engine -------------------------------------------------------------------------------------------

    def _ask(
        self,
        known: Known,
        reads: Reads,
        answers: Mapping[Question, str | None],
        asked: Undecided | None = None,
        before: Steps | None = None,
    ) -> Decision | Undecided:
        engine = self.engine
        if engine is None:  # settled in _learn
            return self.precedence.default(known.before)
        if before is None:
            before = known.before if asked is None else asked.steps
        try:
            answer = engine.decide(reads)
        except PluginFault as fault:
            return self._engine_failed(known, engine, before, fault, reads)
        if asked is not None and list(reads.noted)[: len(asked.noted)] != list(asked.noted):
            return self._engine_failed(known, engine, before, PluginFault(engine.part, "`decide`", _IMPURE), reads)
        if reads.questions > MOST_CONSULTATIONS:
            wrong = f"asks for more than {MOST_CONSULTATIONS} consultations of one call"
            return self._engine_failed(known, engine, before, PluginFault(engine.part, "`decide`", wrong), reads)
        if reads.question is None:
            return self._decided(known, reads, engine, answer, before)
        return Undecided(reads.call, reads.question, before, dict(reads.noted), answers, reads.asker)

    def _decided(
        self, known: Known, reads: Reads, engine: Engine, answer: DelegationPlan | None, before: Steps
    ) -> Decision:
        footprint, path = reads.footprint, tuple(reads.path)
        past = reads.asker if reads.asker is not None and reads.asker.attempts else None
        verdict, leaf = self._place(known, reads, engine) if past is None else (_AFTER, None)
        steps = (*before, ("l1", verdict))
        if past is not None:
            wrong = wrong_after(self.precedence, answer, reads.call, past)
            if wrong is not None or answer is None:
                steps = (*steps, ("engine", f"{engine.name}: {wrong}"))
                made = at_end(self.precedence, known, reads.call, past, steps, wrong or "")
                return attrs.evolve(made, footprint=(*footprint, *made.footprint), path=path)
        if answer is None:
            made = self.precedence.default((*steps, ("engine", f"{engine.name}: no opinion")), known.facts.function)
            made = attrs.evolve(made, footprint=footprint, grounds=known.grounds)
            if leaf is not None:
                leaf.silent = made
            return made
        reviewed, note = self.precedence.review(answer)
        if past is not None and note is not None and reviewed.target != answer.target:  # nobody chose the own body
            made = at_end(self.precedence, known, reads.call, past, (*steps, ("security", note)), note)
            return attrs.evolve(made, footprint=(*footprint, *made.footprint), path=path)
        name = answer.engine or engine.name
        source = answer.source if answer.source in _ENGINE_SOURCES else PlanSource.ENGINE
        plan = _stamped(reviewed, source, name, self.clock.now())
        plan = plan if past is None else self.precedence.sequel.rested(plan, past.attempts)
        steps = (*steps, ("engine", f"{name}: {show_target(answer.target)}"))
        if note is not None:
            steps = (*steps, ("security", note))
        if not self.precedence.targets.configured(answer.target):
            wrong = f"returned a plan for {show_target(answer.target)}, which is not configured"
            self.report(engine.part, wrong, "`decide`", _OWN_BODY)
        made = Decision(plan, steps, footprint=footprint, path=path, grounds=known.grounds)
        if leaf is None:
            return made
        made = leaf.made = attrs.evolve(made, cache="l1 miss", key=leaf.key.digest)
        info = plan_info(known.facts, plan, reads.asker)
        if isinstance(plan.target, LocalPure | Deny):
            self._keep(leaf, plan, info)
            return made
        leaf.provisional = plan

        def settle(succeeded: Any, leaf: Leaf = leaf) -> None:
            leaf.provisional = None
            if succeeded:
                self._keep(leaf, plan, info)

        return attrs.evolve(made, settle=settle)

    def _place(self, known: Known, reads: Reads, engine: Engine) -> tuple[str, Leaf | None]:
        """Return what the record says of L1, and where the plan will be kept; None where it must not be."""
        if self.l1 is None or self.l1.broken:
            return "not looked at" if self.away else "off", None
        if not reads.kept:
            first = next(read[0] for read, key in reads.noted.items() if key is UNKEPT)
            return f"not asked: the engine {why_unkept(first)}", None
        if self._leaves >= MOST_LEAVES:
            self.forget()
        leaf = Leaf(self._plan_key(known, reads))
        new = known.tree.add(reads.noted, leaf)
        if new is not None:
            self._leaves += new
            return "miss", leaf
        self.report(engine.part, _IMPURE, "`decide`", "its plan was used, and not kept")
        return "not kept: the engine is not pure", None

    def _keep(self, leaf: Leaf, plan: DelegationPlan, info: CacheInfo) -> None:
        if self.l1 is not None:
            self.l1.put(leaf.key, plan, info=info)

    def _engine_failed(self, known: Known, engine: Engine, steps: Steps, fault: PluginFault, reads: Reads) -> Decision:
        self.report(fault.part, fault, "", _OWN_BODY)
        closed = self.precedence.closed(engine.name, fault.words, steps)
        return attrs.evolve(closed, footprint=reads.footprint, path=tuple(reads.path), grounds=known.grounds)


def _tell_nobody(*_: object) -> None:
    """Report nothing."""
