"""What is wrong with a program that a model wrote, in the words that it is shown: codes, places, lines and ways out.

A program is right when `rtfs check` finds no error, every call that it makes could be served here, it takes what it
will be given, and it gives what the examples say. Examples are run where the program asks nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.cli.writing.examples import PROGRAM, Example
from rtfs_framework.lang.errors import LanguageError, LimitError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.config.security import Reach, SecurityLevel
from rtfs_framework.orchestrator.running.narrowing import Narrowing, narrowed

if TYPE_CHECKING:
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.orchestrator.explaining.checked import Checked
    from rtfs_framework.orchestrator.session import Session

MOST_TOLD = 8
"""Findings that a model is shown at once: it mends the first ones, and the others are often their consequences."""
_SECONDS, _STEPS = 5.0, 5_000_000
"""Of one example."""
_PURE = Narrowing(level=SecurityLevel.PURE, reach=Reach.PURE, grant=())

Fitting = Callable[["Session", str], str | None]
"""Returns what is wrong with how a program can be called, None where nothing is."""


@attrs.frozen(slots=True, kw_only=True)
class Judged:
    """What is known of a program."""

    program: str
    checked: Checked | None = None
    wrong: tuple[str, ...] = ()
    """What the model is shown; nothing where the program is right."""
    unread: bool = False
    """It cannot be run at all."""
    examples: int = 0
    """Those that it gives."""
    not_run: int = 0
    """Examples that were not run, for the program may ask its host."""

    @property
    def right(self) -> bool:
        """Tell whether nothing is wrong with it."""
        return not self.wrong


@attrs.frozen(slots=True, kw_only=True)
class Judge:
    """Judges programs for one task. `bodies` runs examples though a model may be asked, its functions' own bodies."""

    session: Session
    examples: Sequence[Example] = ()
    fits: Fitting | None = None
    bodies: bool = False
    marks: Callable[[], Label] = lambda: PUBLIC
    """Returns those that the text of a program carries: examples are run with them."""

    def judge(self, program: str) -> Judged:
        """Return what is wrong with a program; nothing of it is asked or paid."""
        checked = self.session.examine(Source(PROGRAM, program))
        found = _errors(checked)
        if found:
            return Judged(program=program, checked=checked, wrong=_told(found), unread=True)
        misfit = None if self.fits is None else self.fits(self.session, program)
        if misfit is not None:
            return Judged(program=program, checked=checked, wrong=(misfit,))
        if not self.examples or not (checked.pure or self.bodies):
            return Judged(program=program, checked=checked, not_run=len(self.examples))
        quiet = _quiet(self.session)
        wrong = [text for text in (self._tried(quiet, each, program) for each in self.examples) if text is not None]
        right = len(self.examples) - len(wrong)
        return Judged(program=program, checked=checked, wrong=tuple(wrong[:MOST_TOLD]), examples=right)

    def _tried(self, session: Session, example: Example, program: str) -> str | None:
        try:
            return example.wrong(session, program, self.marks())
        except LanguageError as error:
            return f"{example.call} cannot be called:\n{error.diagnostics[0].render()}"
        except LimitError as error:
            return f"{example.call} comes to no end: {error}"


def _errors(checked: Checked) -> list[Diagnostic]:
    """Return what keeps a program from running here: errors, and calls that nobody would serve."""
    from rtfs_framework.cli.commands.check import unusable_sites

    errors = [each for each in checked.diagnostics if each.severity == "error"]
    return errors or unusable_sites(checked)


def _told(found: Sequence[Diagnostic]) -> tuple[str, ...]:
    return tuple(each.render() for each in found[:MOST_TOLD])


def _quiet(session: Session) -> Session:
    """Return a session that asks nobody, for a short while: delegated functions run their own bodies."""
    from rtfs_framework.orchestrator.session import Session as Opened

    return Opened(narrowed(session.host, _PURE), session.portal, _short(session.limits))


def _short(limits: Limits) -> Limits:
    seconds = _SECONDS if limits.seconds is None else min(limits.seconds, _SECONDS)
    steps = _STEPS if limits.steps is None else min(limits.steps, _STEPS)
    return attrs.evolve(limits, seconds=seconds, steps=steps)
