"""The progress bar on stderr: bytes of a file, or records where the size is unknown. rich is imported when it shows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

import attrs
from typing_extensions import Self

from rtfs_framework.cli.style import Part, line_of
from rtfs_framework.cli.terminal import say
from rtfs_framework.orchestrator.config.colour import colour_for, is_terminal

_EVERY = 0.05
"""Seconds between two updates of the bar; lines above it wait for them, for each repaints it."""

Emit = Callable[[Part], None]


@attrs.define(slots=True, eq=False)
class Progress:
    """A bar, when it is wanted; `emit` prints lines without disturbing it."""

    shown: bool
    total: int | None
    position: Callable[[], int]
    what: str = "records"
    _bar: Any = attrs.field(default=None, init=False)
    _task: Any = attrs.field(default=None, init=False)
    _last: float = attrs.field(default=0.0, init=False)
    _records: int = attrs.field(default=0, init=False)
    _waiting: list[Part] = attrs.field(factory=list, init=False)

    def __enter__(self) -> Self:
        if self.shown:
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._print()
            done = min(self.total, self.position()) if self.total is not None else None
            self._bar.update(self._task, completed=done, records=self._records)
            self._bar.stop()

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        words = TextColumn(f"{{task.fields[records]:,}} {self.what}")
        known = [BarColumn(), TaskProgressColumn(), TimeRemainingColumn()] if self.total else []
        self._bar = Bar(
            words,
            *known,
            console=Console(stderr=True, force_terminal=True, no_color=not colour_for(sys.stderr)),
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=8,
        )
        self._task = self._bar.add_task("", total=self.total, records=0)
        self._bar.start()

    def update(self, records: int) -> None:
        """Note how many records are done."""
        self._records = records
        if self._bar is None:
            return
        now = monotonic()
        if now - self._last >= _EVERY:
            self._last = now
            self._print()
            self._bar.update(self._task, completed=self.position() if self.total else None, records=records)

    @property
    def emit(self) -> Emit:
        """Return what prints a line: above the bar where both are on a terminal."""
        if self._bar is None or not is_terminal(sys.stdout):
            return say
        return self._waiting.append

    def _print(self) -> None:
        """Print the lines that wait, all at once."""
        if not self._waiting:
            return
        from rich.text import Text

        colour = colour_for(sys.stdout)
        lines = [Text.from_ansi(line_of((part,), colour=colour)) for part in self._waiting]
        self._waiting.clear()
        self._bar.console.print(Text("\n").join(lines), soft_wrap=True, highlight=False)


def wanted(choice: bool | None) -> bool:
    """Tell whether a bar is to be shown: as the user says, else on a terminal."""
    return is_terminal(sys.stderr) if choice is None else choice
