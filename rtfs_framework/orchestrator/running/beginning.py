"""A program that begins to run on a host, or that is gone on with where another process left it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.caller import NO_METADATA, DelegationMetadata, of_python
from rtfs_framework.orchestrator.boundary.handover import as_value
from rtfs_framework.orchestrator.recording.journal.alive import hold
from rtfs_framework.orchestrator.recording.journal.kept import Job, value_text
from rtfs_framework.orchestrator.recording.journal.run import Chain
from rtfs_framework.orchestrator.recording.purse import NOTHING_SPENT, Terms
from rtfs_framework.orchestrator.recording.tally import Ledger, Tally
from rtfs_framework.orchestrator.running.program import LoadedProgram, ProgramRun
from rtfs_framework.orchestrator.running.restoring import purse_of, told

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.running.linking import Linked
    from rtfs_framework.orchestrator.running.past_calls import PastCalls
    from rtfs_framework.orchestrator.running.portal import Portal


def begin(
    host: Host,
    portal: Portal,
    linked: Linked,
    metadata: DelegationMetadata | None,
    how: Callable[[], Mapping[str, Any]] | None = None,
    past: PastCalls | None = None,
) -> tuple[LoadedProgram, ProgramRun]:
    """Return a program whose top-level forms have not been evaluated, and what keeps their calls.

    `how` says how it is called, for whoever goes on with it; `past` is what it was answered before.
    """
    source = linked.artifact.source
    run_id, seed = _name(linked.terms.run)
    terms = _bounded(host, linked.terms, past)
    chain: Chain | None = None
    if past is not None and not past.copies:
        run_id, seed, chain = past.known.facts.id, past.known.facts.seed, _continued(host, past)
    elif linked.leaves_kernel:
        job = (
            None
            if how is None or host.journal is None
            else _job(host, linked, how(), linked.terms if past is None else terms)
        )
        chain = host.begin(run_id, linked.digest, source.name, seed, linked.terms.asker, job)
        if chain is not None:
            hold(chain.journal.home, run_id)
    program = LoadedProgram(
        host=host,
        portal=portal,
        instance=linked.instance,
        lookup=linked.lookup,
        run_id=run_id,
        chain=chain,
        ledger=Ledger(host.events, chain, Tally(host.config.tenant), run=run_id, learned_from=host.ended),
        started=host.clock.monotonic(),
        seed=seed,
        context=dict(host.config.security.values),
        metadata=_said(host.config.security.intent, metadata),
        terms=terms,
        past=past,
    )
    program.begin_labels(linked.digest, linked.flows)
    host.events.emit("run.started", {"run": run_id, "source": source.name})
    return program, program.new_run(own_context=False)


def _said(intent: str, metadata: DelegationMetadata | None) -> DelegationMetadata:
    """Return what is said of all calls: by the caller, and by the configuration where the caller says nothing."""
    said = NO_METADATA if metadata is None else of_python(metadata)
    if not intent:
        return said
    return said.over(DelegationMetadata(context={"intent": intent}, source="configuration"))


def _bounded(host: Host, terms: Terms, past: PastCalls | None) -> Terms:
    """Return the terms of a run, with no more to spend than the configuration lets it, less what it has spent."""
    purse = purse_of(host.config.security.quota, terms.purse)
    if purse is None or (purse is terms.purse and past is None):
        return terms
    host.mind_purses()  # the bound may be that of a run that is gone on with, and today's rules have none
    if past is not None:
        purse.settle(NOTHING_SPENT, past.spent)
    return attrs.evolve(terms, purse=purse)


def _name(given: str | None) -> tuple[str, str]:
    """Return a run's id and seed; whoever begins a run of a given id anew draws what was drawn before."""
    if given is None:
        return os.urandom(16).hex(), os.urandom(16).hex()
    return given, sha256(f"rtfs-seed:{given}".encode()).hexdigest()[:32]


def _continued(host: Host, past: PastCalls) -> Chain | None:
    """Return the rows of a run that is gone on with: they follow those that are there."""
    if host.journal is None:
        return None
    known = past.known
    chain = Chain(host.journal, known.facts)
    chain.number, chain.file, chain.kept, chain.calls = known.position, known.keys.journal, True, known.ended_calls
    chain.waits.update(known.waits)
    chain.since = max((position for position, *_ in known.notes), default=0)
    return chain


_NO_ARGS = value_text(())


def _job(host: Host, linked: Linked, how: Mapping[str, Any], terms: Terms) -> Job:
    """Return what is run; without arguments that the journal may not keep for their marks.

    `terms` are those of whoever goes on with it: of a fork, what the run that it left had spent is gone from its purse.
    """
    source, *modules = linked.artifact.sources
    labelling = host.dispatcher.labelling
    given = how.get("args") not in (None, _NO_ARGS) or linked.terms.marks
    if labelling is not None and given and labelling.accepts("journal") is not None:
        how = {**how, "args": None}
    texts = {each.name: each.text for each in modules}
    rules = told(host.config.security)
    return Job(name=source.name, text=source.text, modules=texts, how=how, rules=rules, terms=terms.to_json())


def called(entry: str | None, args: tuple[Any, ...]) -> Callable[[], Mapping[str, Any]]:
    """Return what tells how a program is called, as JSON-ready data; arguments that have no text are None."""
    return lambda: {"call": entry, "args": _args_text(args)}


def _args_text(args: tuple[Any, ...]) -> str | None:
    try:
        return value_text(tuple(as_value(each) for each in args))
    except Exception:  # noqa: BLE001 - whatever cannot be handed over is told where it is called
        return None
