"""Examples of what a program must give: `IN => OUT`, run where the program asks nobody.

IN is a call of a function of the program, such as `(area 2 3)`, or else what `main` is called with: one literal, or
several. OUT is a literal, or `!KIND` for an error of that kind. Values are compared as RTFS compares them; numbers that
are not whole within a millionth, for who writes 0.3 means what 0.1 and 0.2 give.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.cli.program_errors import as_diagnostic
from rtfs_framework.cli.sources import remember
from rtfs_framework.lang.equality import equal
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError
from rtfs_framework.lang.forms import ListForm
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.vectors import is_vector
from rtfs_framework.orchestrator.recording.purse import Terms

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.session import Session

PROGRAM = "program.rtfs"
"""What a program is called where the model is shown what is wrong with it."""
_ARROW = "=>"
_MOST_SHOWN = 300
_NEAR = 1e-6


class BadExample(ValueError):
    """A text that is no example, and why."""


@attrs.frozen(slots=True)
class Example:
    """What is called, and what it must give; `error` is the kind of an error that it must end in."""

    text: str
    call: str
    expected: str = ""
    error: str = ""

    @classmethod
    def of(cls, text: str) -> Example:
        """Read `IN => OUT`.

        Raises:
            BadExample: It is none.
        """
        given, arrow, wanted = text.rpartition(_ARROW)
        given, wanted = given.strip(), wanted.strip()
        if not arrow or not wanted:
            message = f"'{text:.80}' is no example: write IN => OUT, such as '(main 2) => 4'"
            raise BadExample(message)
        try:
            forms = read_program(Source("<example>", given))
            if not wanted.startswith("!") and len(read_program(Source("<example>", wanted))) != 1:
                raise BadExample(f"what '{text:.80}' must give is not one value")
        except LanguageError as error:
            raise BadExample(f"'{text:.80}' cannot be read: {error.diagnostics[0].message}") from None
        call = given if len(forms) == 1 and isinstance(forms[0], ListForm) else f"(main {given})".replace(" )", ")")
        kind = wanted[1:].strip() if wanted.startswith("!") else ""
        return cls(text, call, "" if kind else wanted, kind)

    def wrong(self, session: Session, program: str, marks: Label = PUBLIC) -> str | None:
        """Return what is wrong with what a program gives, None where it is right. The program asks nobody.

        `marks` are those of its text.

        Raises:
            LanguageError: The program cannot be run with it.
        """
        wanted = f"error {self.error}" if self.error else self.expected
        try:
            value = _value(session, f"{program}\n{self.call}\n", marks)
        except ProgramError as error:
            if self.error and error.kind == self.error:
                return None
            return f"{self.call} must give {wanted}, and fails:\n{as_diagnostic(error.value).render()}"
        except LimitError as error:
            return f"{self.call} must give {wanted}, and comes to no end: {error}"
        if not self.error and _same(value, _value(session, self.expected)):
            return None
        return f"{self.call} must give {wanted}, and gives {_shown(value)}"


def _value(session: Session, text: str, marks: Label = PUBLIC) -> Any:
    source = Source(PROGRAM, text)
    remember(source)  # so that an error shows its line
    return session.run(attrs.evolve(session.link(source), terms=Terms(marks=marks))).value


def _shown(value: Any) -> str:
    text = write(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _same(found: Any, wanted: Any) -> bool:
    if equal(found, wanted):
        return True
    if isinstance(found, float) and isinstance(wanted, float):
        return math.isclose(found, wanted, rel_tol=_NEAR, abs_tol=_NEAR)
    if is_vector(found) and is_vector(wanted) and len(found) == len(wanted):
        return all(_same(one, other) for one, other in zip(found, wanted, strict=True))
    if isinstance(found, Map) and isinstance(wanted, Map) and len(found) == len(wanted):
        missing = object()
        return all(_same(found.get(key, missing), value) for key, value in wanted.items())
    return False
