"""A conversation with a host: a program that grows input by input; its calls are dispatched and recorded as ever.

The causal chain begins with the first input that can leave the kernel, and is one run until the conversation ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import attrs

from rtfs_framework.kernel.interactive import NAME, Conversation
from rtfs_framework.lang.diagnostics import refusals
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.library import FindModule, no_modules
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.concurrency.deadlines import Deadlines
from rtfs_framework.orchestrator.recording.tally import Ledger, Tally
from rtfs_framework.orchestrator.running.linking import UNKNOWN_NAME, findings, knows
from rtfs_framework.orchestrator.running.program import LoadedProgram

if TYPE_CHECKING:
    from rtfs_framework.kernel.run import Run
    from rtfs_framework.lang.incremental import Addition
    from rtfs_framework.orchestrator.session import Session


@attrs.define(slots=True, eq=False)
class HostedConversation:
    """A conversation, and the loaded program as which its host sees it."""

    session: Session
    talk: Conversation
    program: LoadedProgram

    @classmethod
    def open(cls, session: Session, find_module: FindModule = no_modules) -> HostedConversation:
        """Begin a conversation; the session closes it."""
        host, run_id = session.host, uuid4().hex
        dispatcher = host.dispatcher
        talk = Conversation(
            delegatable=dispatcher.delegator.may_claim,
            find_module=find_module,
            prelude=dispatcher.capabilities.prelude,
            claims=dispatcher.delegator.claims,
            host_names=dispatcher.capabilities.id_of,
            limits=session.limits,
            watches=Deadlines(host.clock, session.limits.seconds),
        )
        program = LoadedProgram(
            host=host,
            portal=session.portal,
            instance=talk.instance,
            lookup=talk.instance.lookup_type,
            run_id=run_id,
            chain=None,
            ledger=Ledger(host.events, None, Tally(host.config.tenant), run=run_id, learned_from=host.ended),
            started=host.clock.monotonic(),
            context=dict(host.config.security.values),
        )
        program.begin_labels("")
        return cls(session, talk, program)

    def check(self, added: Addition, source: Source) -> None:
        """Refuse what this host could not run: hints that name no configured target.

        Raises:
            LanguageError: E0602, there are some.
        """
        own = tuple(found for found in added.artifact.diagnostics if found.source is source)
        view = attrs.evolve(added.artifact, sources=(source,), diagnostics=own)
        found = [each for each in findings(self.session.host, view) if each.code != UNKNOWN_NAME]
        if refusals(found):
            raise LanguageError(found)

    def knows(self, name: str) -> bool:
        """Tell whether the host gives a meaning to a free name."""
        return knows(self.session.host, name)

    def finish(self, run: Run) -> Any:
        """Drive a run to its value.

        Raises:
            ProgramError: It failed.
        """
        self._record()
        program_run = self.program.new_run(own_context=False)
        return self.program.portal.call(lambda use: program_run.settle(run, use))

    def close(self, status: str = "complete") -> None:
        """End the run in the journal."""
        self.program.close(status)

    def _record(self) -> None:
        artifact, program = self.talk.instance.artifact, self.program
        if program.chain is not None or not (artifact.sites or artifact.links):
            return
        program.chain = program.ledger.chain = self.session.host.begin(
            program.run_id, artifact.digest, NAME, program.seed
        )
