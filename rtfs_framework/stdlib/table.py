"""The one table of builtins: name, parameters, arity, types, purity, documentation and examples of every function.

A record is made by `@builtin`; its types are the function's annotations. Whoever shows a function reads it here.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Callable, Iterable, Mapping, TypeVar
from rtfs_framework.lang.library import LibraryEntry
from rtfs_framework.stdlib.shorthand import ways_of, whole

if TYPE_CHECKING:
    from rtfs_framework.lang.types.names import Lookup

F = TypeVar("F", bound=Callable[..., Any])


@records.frozen(eq=False, kw_only=True)
class Builtin(LibraryEntry):
    """One library function. `examples` are (program, canonical print of its value or "!ErrorKind")."""

    family: str
    doc: str
    examples: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()
    ways: tuple[str, ...] = ("[:fn [& :any] :any]",)
    """One type for each way to call it, with shorthand names."""
    names_types: bool = False
    """True for a function of a type and a value that must know what a program's own type names mean."""

    def within(self, lookup: Lookup) -> Callable[..., Any]:
        """Return the function for a program whose type names `lookup` resolves."""
        if not self.names_types:
            return self.function
        judge = self.function

        def judge_within(type_: Any, value: Any) -> Any:
            return judge(type_, value, lookup=lookup)

        judge_within.rtfs_name = self.name  # type: ignore[attr-defined]
        return judge_within


_VARARGS = 0x04
"""`inspect.CO_VARARGS`, without the 4 ms that importing `inspect` takes."""

BUILTINS: dict[str, Builtin] = {}
"""Every name (aliases included) to its record."""


def record_of(function: Callable[..., Any]) -> Builtin | None:
    """Return the record of a function value, None if it is a program's own or made by another function."""
    return getattr(function, "rtfs_builtin", None)


def builtin(
    name: str,
    *examples: tuple[str, str],
    doc: str,
    aliases: tuple[str, ...] = (),
    parameters: str | None = None,
    types: tuple[str, ...] = (),
    table: dict[str, Builtin] = BUILTINS,
    **traits: Any,
) -> Callable[[F], F]:
    """Enter a function into a table, with what the compiler should know of it (`LibraryEntry`).

    Arity, signature and types come from its Python parameters; `parameters` shows them where an optional one is not the
    last, and `types` lists the ways to call it where annotations cannot. A function is plain if it asks nobody and
    takes no function; and it is cheap if it has an inline form, or tells only what any value is.

    Raises:
        ValueError: the name or an alias is taken.
    """

    def enter(function: F) -> F:
        low, high, shown = _shape(function)
        ways = types or ways_of(function, low, high)
        facts: dict[str, Any] = {
            "plain": "effect" not in traits and not any("callable" in way for way in ways),
            "cheap": "inline" in traits or ways == ("[:fn [:any] :bool]",),
            **traits,
        }
        record = Builtin(
            name=name,
            function=function,
            family=function.__module__.rpartition(".")[2],
            low=low,
            high=high,
            signature=parameters or " ".join(shown),
            doc=doc,
            examples=examples,
            aliases=aliases,
            types=whole(ways),
            ways=ways,
            **facts,
        )
        for entry in (name, *aliases):
            if entry in table:
                message = f"builtin {entry!r} is defined twice"
                raise ValueError(message)
            table[entry] = record
        function.rtfs_builtin = record  # type: ignore[attr-defined]
        return function

    return enter


def loaded(families: tuple[str, ...] | None) -> dict[str, Builtin]:
    """Return the table with all that is in some families, each the name of a module; with all when it is None."""
    for family in ("rtfs_framework.stdlib.library",) if families is None else families:
        __import__(family)
    return BUILTINS


def families_of(names: Iterable[str], library: Mapping[str, Builtin]) -> tuple[str, ...]:
    """Return the modules that some names are from; those that are not from the library are from none."""
    return tuple(sorted({library[name].function.__module__ for name in names if name in library}))


def _shape(function: Callable[..., Any]) -> tuple[int, int | None, list[str]]:
    """Return the least and the most arguments of a function, and its parameters as a call has them."""
    code = function.__code__
    high, most = code.co_argcount, None if code.co_flags & _VARARGS else code.co_argcount
    low = high - len(function.__defaults__ or ())
    words = [name.rstrip("_").replace("_", "-") for name in code.co_varnames[: high + (most is None)]]
    shown = [word if place < low else f"{word}?" if place < high else f"& {word}" for place, word in enumerate(words)]
    return low, most, shown
