"""A world with effects that outlive a process, and processes that die in the middle of it."""

from __future__ import annotations

import os
from contextlib import suppress

import attrs
import pytest

from rtfs_framework.api import CapabilityEntry, InferenceReply
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.writer import Journal
from rtfs_framework.orchestrator.running.past_calls import Assumed, ResumeError
from rtfs_framework.orchestrator.running.resuming import Resuming

UNSETTLED = "E0722"


@attrs.define
class World:
    """What programs change: a file with a line per effect, which no process's death takes back."""

    kit: object
    config: str = ""
    engine: object = None

    @property
    def effects(self):
        """Yield what was done, in order: (name, key, argument)."""
        with suppress(FileNotFoundError):
            lines = (self.kit.home / "effects.txt").read_text().splitlines()
            return [tuple(line.split("|")) for line in lines]
        return []

    def done(self, name, key, arg):
        line = f"{name}|{key}|{arg}\n".encode()
        handle = os.open(self.kit.home / "effects.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)

    def capability(self, name, *, idempotent):
        def handler(request):
            self.done(name, request.key, request.args[0])
            return f"{name} {request.args[0]}"

        return CapabilityEntry(id=name, summary="Has an effect.", handler=handler, idempotent=idempotent)

    def catalog(self):
        def said(request):
            self.done("model", request.key, request.args[0])
            return InferenceReply(text=f"said {request.args[0]}", model="fake")

        return self.kit.catalog(
            self.kit.provider("m", said, remote=True, idempotent=True),
            engine=self.engine,
            capabilities=(self.capability("put", idempotent=True), self.capability("send", idempotent=False)),
        )

    def open(self, **options):
        grant = '[security]\ngrant = ["put", "send", "slow"]\n'
        return self.kit.open(self.catalog(), f"{grant}{self.config}", **options)

    def resume(self, run, assumed=None):
        with self.open() as session:
            return session.resume(Resuming(run=run, assumed=assumed or Assumed()))

    def die_at(self, count, work):
        """Do something in a child that dies at the `count`-th moment at which rows go to disk; tell how it ended.

        Even moments lie right before a transaction, odd ones right after. True when it came to its end.
        """
        child = os.fork()
        if child == 0:  # pragma: no cover - it is killed
            code = 3
            try:
                _dies(count)
                work()
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == 0

    @property
    def run(self):
        return query.list_runs(self.kit.journal)[0].id

    def settle(self, run, assumed=None):
        """Go on until it ends; whoever is asked whether a call was done looks at what was."""
        try:
            return self.resume(run, assumed)
        except ResumeError as error:
            unsettled = error
        if unsettled.code != UNSETTLED:
            raise unsettled
        return self.settle(run, self._found_out(run, unsettled.problem.split()[1], assumed or Assumed()))

    def _found_out(self, run, id_, assumed):
        """Return what is assumed when somebody has looked whether a call was carried out."""
        found = [(name, arg) for name, key, arg in self.effects if key == f"{run}:{id_}"]
        if not found:
            return attrs.evolve(assumed, not_done=assumed.not_done | {id_})
        ((name, arg),) = found
        return attrs.evolve(assumed, done={**assumed.done, id_: f"{name} {arg}"})


def _dies(count):
    write, left = Journal._write, [count]

    def writing(self):
        _count(left)
        made = write(self)
        _count(left)
        return made

    Journal._write = writing


def _count(left):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), 9)


@pytest.fixture
def world(kit):
    return World(kit)


def pytest_terminal_summary(terminalreporter):
    """Say how much of the crash matrix was seen."""
    found = [dict(each.user_properties) for each in terminalreporter.stats.get("passed", ())]
    programs = [each for each in found if "deaths" in each]
    if programs:
        deaths, pythons = sum(each["deaths"] for each in programs), max(each["pythons"] for each in programs)
        terminalreporter.write_line(f"crash matrix: {len(programs)} programs, {deaths} deaths, {pythons} Pythons")
