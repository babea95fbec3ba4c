"""Published programs as a target: which one a call may run in place of its function's own body, and why not.

In: an open call and an `L4CacheHit`. Out: an answer that lets the run compute another body, or `Failed` with the
reason, upon which dispatch decides again. Nothing leaves the machine, so marks, budgets and rates have no say.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.plans import Candidate, DelegationPlan
from rtfs_framework.api.targets import L4CacheHit, show_target
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.types.names import Lookup
from rtfs_framework.orchestrator.boundary.answers import Locally
from rtfs_framework.orchestrator.boundary.failures import RefusedError, as_program_error
from rtfs_framework.orchestrator.config.folders import data_dir
from rtfs_framework.orchestrator.config.publishing import PublishingSpec
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.performing.here import function_of
from rtfs_framework.orchestrator.performing.models import Failed
from rtfs_framework.orchestrator.recording.records import Decision
from rtfs_framework.orchestrator.recording.run_scope import OpenCall
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.orchestrator.remembering.published.keys import FOLDER as KEYS
from rtfs_framework.orchestrator.remembering.published.keys import KeyRing
from rtfs_framework.orchestrator.remembering.published.shelf import FOLDER, Found, Shelf
from rtfs_framework.orchestrator.remembering.published.trouble import PublishingError

_WAY_OUT = "rtfs fetch gets one, rtfs keys trust says whose count, rtfs publish makes one"


@attrs.frozen(slots=True, eq=False)
class PublishedPrograms:
    """What may run in place of the bodies of functions."""

    shelf: Shelf

    def answer(self, opened: OpenCall, decision: Decision, target: L4CacheHit, now: float) -> Locally | Failed:
        """Let the run compute the program that a target means; `now` is the host's monotonic clock."""
        function = function_of(opened)
        found = self.shelf.find(function, opened.scope.lookup, target)
        if isinstance(found, str):
            error = RefusedError("published", found, _WAY_OUT, code="E0768")
            return Failed(as_program_error(error, show_target(target)), FailureKind.REFUSED, found, "published")
        opened.record.decision = attrs.evolve(decision, plan=_said(decision.plan, found))
        opened.close(now)
        return Locally(found.body)

    def candidates(self, function: FunctionSignature, lookup: Lookup) -> tuple[Candidate, ...]:
        """Return the target that stands for the newest trusted program of a function's interface; none is none."""
        found = self.shelf.find(function, lookup, L4CacheHit())
        if isinstance(found, str):
            return ()
        said = f"a published program, signed by {found.pointer.key}"
        made = Candidate(found.target, "published", idempotent=True, deterministic=True, description=said)
        return (attrs.evolve(made, input_cost=0.0, output_cost=0.0),)


def _said(plan: DelegationPlan, found: Found) -> DelegationPlan:
    """Return a plan that says which program ran, and whose it is. Its target stays what was decided."""
    pointer = found.pointer
    why = f"{plan.reasoning}; program {pointer.artifact[:12]}, signed by {pointer.key[:12]}"
    return attrs.evolve(plan, reasoning=why, context=(*plan.context, ("published", target_text(found.target))))


def ring_of(spec: PublishingSpec, environ: Mapping[str, str]) -> KeyRing:
    """Return the keys of a configuration."""
    return KeyRing(data_dir(environ) / KEYS, None if spec.trusted_keys is None else Path(spec.trusted_keys))


def shelf_of(spec: PublishingSpec, environ: Mapping[str, str], keyring: Keyring | None) -> Shelf:
    """Return the shelf of a configuration; with a keyring, what was compiled is kept."""
    seal = None if keyring is None else lambda: keyring.seal("published programs")
    return Shelf(data_dir(environ) / FOLDER, ring_of(spec, environ), spec.salt, seal)


def trust_digest(ring: KeyRing) -> str:
    """Return the digest of which keys are trusted and which were revoked, "" where none is listed.

    A list that cannot be read trusts nobody, and has a digest of its own.
    """
    try:
        keys = ring.listed()
    except PublishingError:
        return "unreadable"
    return digest(Map.of((id_, key.revoked is None) for id_, key in keys.items())) if keys else ""
