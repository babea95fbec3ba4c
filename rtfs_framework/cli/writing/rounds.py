"""Rounds of writing: the model is asked, its program is judged, and it is shown what is wrong, so often and no more.

In: a task, whoever asks and whoever judges. Out: a `Written`: the rounds, and how it ended. A refusal ends at once, for
asking again would be nagging. Only the last program and what is wrong with it are shown again, so a conversation does
not grow with its rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.cli.writing.replies import REFUSED, Nothing, program_in

if TYPE_CHECKING:
    from rtfs_framework.cli.writing.asking import Said
    from rtfs_framework.cli.writing.judging import Judge, Judged

RIGHT, WRONG = "right", "wrong"
ASK = """\
{pack}
Write one RTFS program for the task that the user names. Answer with the program alone, in one fenced block:
```rtfs
...
```
{how}"""
_AGAIN = """\
This is wrong with your program:

{wrong}

Write the whole program again, mended, in one fenced block."""
_NO_PROGRAM = "{words}. Answer with one RTFS program in one fenced block, and nothing else."
_MOST_REPEATED = 16_000
"""Characters of a reply that the model is shown again."""


_MOST_TOLD = 2_000
"""Characters of a reply without a program, for people who want to see what the model said."""


class Asks(Protocol):
    """Whoever asks a model."""

    def ask(self, messages: Sequence[tuple[str, str]]) -> Said:
        """Return what it replies."""


@attrs.frozen(slots=True, kw_only=True)
class Round:
    """One reply, and what became of it."""

    reply: str
    judged: Judged | None = None
    nothing: Nothing | None = None

    @property
    def kind(self) -> str:
        """`right`, `wrong`, or why there is no program in it."""
        if self.judged is None:
            return self.nothing.kind if self.nothing is not None else WRONG
        return RIGHT if self.judged.right else WRONG

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        judged = self.judged
        return {
            "outcome": self.kind,
            "program": None if judged is None else judged.program,
            **({"reply": self.reply[:_MOST_TOLD]} if judged is None else {}),
            "wrong": list(judged.wrong) if judged is not None else [self.nothing.words] if self.nothing else [],
        }


@attrs.frozen(slots=True, kw_only=True)
class Written:
    """All rounds for one task."""

    rounds: tuple[Round, ...]

    @property
    def outcome(self) -> str:
        """That of the last round."""
        return self.rounds[-1].kind

    @property
    def judged(self) -> Judged | None:
        """The program of the last round that has one."""
        return next((each.judged for each in reversed(self.rounds) if each.judged is not None), None)

    @property
    def repairs(self) -> int:
        """How often the model was asked again."""
        return len(self.rounds) - 1


def write(
    asks: Asks, judge: Judge, system: str, task: str, repairs: int, told: Callable[[Round], None] = lambda _: None
) -> Written:
    """Ask for a program until it is right or was repaired so often; `told` hears each round as it ends.

    Raises:
        ProgramError: The model may not be asked, or does not answer.
    """
    first = [("system", system), ("user", task)]
    messages, rounds = first, list[Round]()
    while True:
        made = _round(asks, judge, messages)
        rounds.append(made)
        told(made)
        if made.kind in (RIGHT, REFUSED) or len(rounds) > repairs:
            return Written(rounds=tuple(rounds))
        messages = [*first, ("assistant", made.reply[:_MOST_REPEATED] or "..."), ("user", _what_is_wrong(made))]


def _round(asks: Asks, judge: Judge, messages: Sequence[tuple[str, str]]) -> Round:
    said = asks.ask(messages)
    found = program_in(said.text, said.refusal)
    if isinstance(found, Nothing):
        return Round(reply=said.text, nothing=found)
    return Round(reply=said.text, judged=judge.judge(found.program))


def _what_is_wrong(made: Round) -> str:
    if made.judged is None:
        words = "" if made.nothing is None else made.nothing.words
        return _NO_PROGRAM.format(words=f"{words[:1].upper()}{words[1:]}")
    return _AGAIN.format(wrong="\n\n".join(made.judged.wrong))
