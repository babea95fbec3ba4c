"""A plug-in's ledger, at arm's length: whatever it does wrong is a `LedgerError`, and then nothing is spent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs

from rtfs_framework.api.ledger import ExhaustedError, LedgerError, LedgerSettings
from rtfs_framework.api.settings import variables_of
from rtfs_framework.registry.faults import PluginFault, is_theirs, make

if TYPE_CHECKING:
    from rtfs_framework.api.ledger import Ledger
    from rtfs_framework.api.values import Clock
    from rtfs_framework.orchestrator.config.budgets import LedgerSpec
    from rtfs_framework.registry.catalog import Catalog

_METHODS = (
    "reserve", "begin", "settle", "release", "say", "standings", "accounts", "open", "find", "typical", "close",
)  # fmt: skip


def offered_ledger(spec: LedgerSpec, environ: Mapping[str, str], clock: Clock, catalog: Catalog | None) -> Ledger:
    """Return the ledger that a configuration chose; one that cannot be made lets nothing pass."""
    name = spec.store or ""
    if catalog is None or name not in catalog.ledgers:
        return cast("Ledger", _AtArmsLength(name, LedgerError(f"no plug-in offers the ledger '{name}'")))
    part, own = catalog.part("ledger", name), spec.own
    fields = attrs.fields(type(own)) if own is not None else ()
    names = {each for field in fields if field.name.endswith("_env") for each in variables_of(getattr(own, field.name))}
    settings = LedgerSettings(clock=clock, own=own, environ={each: environ[each] for each in names if each in environ})
    made: Any
    try:
        made = make(part, catalog.ledgers[name][0].factory, settings, methods=_METHODS)
    except PluginFault as fault:
        made = LedgerError(str(fault))
    return cast("Ledger", _AtArmsLength(name, made))


class _AtArmsLength:
    """Calls a ledger's methods; its own errors pass, any other is a `LedgerError`."""

    def __init__(self, name: str, made: Ledger | LedgerError) -> None:
        self._name = name
        self._made = made

    def __getattr__(self, method: str) -> Any:
        made = self._made
        if method not in _METHODS:
            raise AttributeError(method)
        if isinstance(made, LedgerError):
            return (lambda: None) if method == "close" else self._refuse
        use = getattr(made, method)

        def at_arms_length(*given: Any, **named: Any) -> Any:
            try:
                return use(*given, **named)
            except (ExhaustedError, LedgerError, ValueError):
                raise
            except BaseException as error:
                if is_theirs(error):
                    raise LedgerError(f"the ledger '{self._name}' failed: {error!r:.200}") from error
                raise

        return at_arms_length

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise LedgerError(str(self._made))
