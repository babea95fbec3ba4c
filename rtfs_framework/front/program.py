"""A program that is put together in Python: functions with types, hints and bodies, written by the formatter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from rtfs_framework.front.delegated import hint_text
from rtfs_framework.front.session import current
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.boundary.names import check_names, key_of
from rtfs_framework.orchestrator.boundary.plain_data import given_data
from rtfs_framework.orchestrator.boundary.shapes import shape_of

if TYPE_CHECKING:
    from typing_extensions import Self, TypeForm

    from rtfs_framework.front.session import Session
    from rtfs_framework.orchestrator.recording.records import RunResult

T = TypeVar("T")

_HINT = "runtime.learning."


class ProgramText:
    """A text of RTFS: given, or built function by function. `text` is what the formatter makes of it.

    Each word of a builder returns the program, so that they can stand in a row. It is data: run it as often as you
    like, in any session.
    """

    def __init__(self, text: str = "", *, name: str = "<program>") -> None:
        self._forms = [text] if text.strip() else []
        self.name = name

    def add(self, text: str) -> Self:
        """Add RTFS as it is written."""
        self._forms.append(text)
        return self

    def define(  # noqa: PLR0913 - keywords, each of which somebody sets alone
        self,
        name: str,
        parameters: Mapping[str, object],
        body: str,
        *,
        returns: Any = None,
        doc: str = "",
        local_model: str | None = None,
        remote: str | None = None,
        target: str | None = None,
        hints: Mapping[str, object] | None = None,
    ) -> Self:
        """Add a function.

        Args:
            name: Its name; Python's `_` becomes `-`, in those of the parameters, too.
            parameters: Their names, each with its Python type (docs/python.md has the table); None for no type.
            body: RTFS.
            returns: The Python type of its value; None for no type.
            doc: What it is for; what a model is told.
            local_model: The author's word on where it runs: a local model, by its id.
            remote: The same: a remote provider.
            target: The same: a target of the configuration.
            hints: Execution hints for what its body asks, by name: {"retry": {"max_retries": 2}}.

        Raises:
            ConversionError: A type or name is none of RTFS (E0937), or a hint holds what no program can (E0938).
        """
        shown = key_of(name)
        check_names([name], "a function")
        check_names(parameters, f"the parameters of {name}")
        taken = [
            key_of(each) if type_ is None else f"{key_of(each)} : {shape_of(type_, f'{each} of {name}').text}"
            for each, type_ in parameters.items()
        ]
        gives = "" if returns is None else f" : {shape_of(returns, f'what {name} returns').text}"
        hint, before = hint_text(local_model, remote, target), _execution_hints(hints or {})
        said = f"{write(doc)} " if doc else ""
        return self.add(f"(defn {shown} {said}{hint}[{' '.join(taken)}]{gives} {before}{body})")

    @property
    def text(self) -> str:
        """The whole program, formatted.

        Raises:
            LanguageError: What was added cannot be read.
        """
        from rtfs_framework.lang.format.check import format_source

        return format_source(Source(self.name, "\n\n".join(self._forms)))

    @property
    def source(self) -> Source:
        """The program as a session takes it: `session.load(program.source)`."""
        return Source(self.name, self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<program {self.name}, {len(self._forms)} parts>"


class Program(ProgramText):
    """A text of RTFS: given, or built function by function. `text` is what the formatter makes of it.

    Each word of the builder returns the program, so that they can stand in a row. It is data: run it as often as you
    like, in any session.
    """

    @overload
    def run(self, *args: object, entry: str | None = None, session: Session | None = None) -> RunResult: ...
    @overload
    def run(
        self, *args: object, entry: str | None = None, session: Session | None = None, returns: TypeForm[T]
    ) -> T: ...
    def run(
        self, *args: object, entry: str | None = None, session: Session | None = None, returns: Any = None
    ) -> object:
        """Run it, then `entry` (else `main`, where there are arguments) with `args`; see `Session.run`."""
        return (session or current()).run(self.source, args, entry=entry, returns=returns)


def _execution_hints(hints: Mapping[str, object]) -> str:
    """Return execution hints as RTFS, to stand before what they are for; "" without any."""
    if not hints:
        return ""
    pairs = [(Keyword(_HINT + key_of(name)), _by_keyword(value)) for name, value in hints.items()]
    return f"^{write(Map.of(pairs))} "


def _by_keyword(value: object) -> Any:
    """Return data with the texts that are keys as keywords."""
    if isinstance(value, Mapping):
        return Map.of((Keyword(key_of(str(key))), _by_keyword(each)) for key, each in value.items())
    return given_data(value, "a hint")
