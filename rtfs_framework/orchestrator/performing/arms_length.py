"""What a plug-in keeps for a host: whatever it does wrong is one kind of error, which its users know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.settings import variables_of
from rtfs_framework.registry.faults import PluginFault, is_theirs, make

if TYPE_CHECKING:
    from rtfs_framework.registry.faults import Part


def named_variables(own: Any, environ: Mapping[str, str]) -> dict[str, str]:
    """Return those variables of an environment that settings `*_env` name."""
    fields = attrs.fields(type(own)) if own is not None else ()
    names = {each for field in fields if field.name.endswith("_env") for each in variables_of(getattr(own, field.name))}
    return {each: environ[each] for each in names if each in environ}


@attrs.frozen(slots=True, kw_only=True)
class Kind:
    """A kind of such plug-ins."""

    word: str
    methods: tuple[str, ...]
    error: type[Exception]
    """What its users are told whatever broke."""
    passes: tuple[type[Exception], ...]
    """What its contract lets it raise."""


def made_at_arms_length(kind: Kind, name: str, part: Part | None, factory: Callable[[], Any]) -> Any:
    """Return what a factory makes; one that cannot be made, or is offered by nobody (no `part`), refuses each use."""
    made: Any
    if part is None:
        made = kind.error(f"no plug-in offers the {kind.word} '{name}'")
    else:
        try:
            made = make(part, factory, methods=kind.methods)
        except PluginFault as fault:
            cause = fault.__cause__
            made = cause if isinstance(cause, kind.error) else kind.error(str(fault))
    return _AtArmsLength(kind, name, made)


class _AtArmsLength:
    """Calls methods; the errors of their contract pass, any other becomes the kind's own."""

    def __init__(self, kind: Kind, name: str, made: Any) -> None:
        self._kind = kind
        self._name = name
        self._made = made

    def __getattr__(self, method: str) -> Any:
        made, kind = self._made, self._kind
        if method not in kind.methods:
            raise AttributeError(method)
        if isinstance(made, kind.error):
            return (lambda: None) if method == "close" else self._refuse
        use = getattr(made, method)

        def at_arms_length(*given: Any, **named: Any) -> Any:
            try:
                return use(*given, **named)
            except kind.passes:
                raise
            except BaseException as error:
                if is_theirs(error):
                    raise kind.error(f"the {kind.word} '{self._name}' failed: {error!r:.200}") from error
                raise

        return at_arms_length

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise self._kind.error(str(self._made))
