"""Rules that do nothing: names and patterns in the configuration that fit nothing there is. Each is a warning (E0708).

What needs no program is told whenever a configuration is read: grants fit capabilities of plug-ins, budgets and rates
fit tenants, engines and targets. What speaks of functions can only be judged beside a program (`without_function`), and
one configuration may serve several: then it is a hint of `rtfs check`, and a run warns of near misses (`misspelt`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.patterns import compile_patterns, is_pattern
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.orchestrator.config.grants import known_capabilities, may_offer
from rtfs_framework.orchestrator.config.model import EngineSpec
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.config.tables.prices import names as price_names

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.layers import Merged
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.registry.catalog import Catalog

CODE = "E0708"


@attrs.frozen(slots=True)
class _Names:
    """Names that rules of one kind may mean."""

    what: str
    known: tuple[str, ...]

    def misses(self, text: str) -> bool:
        """Tell whether a name or pattern fits none of them."""
        if not is_pattern(text):
            return text not in self.known
        match = compile_patterns((text,))
        return all(match(name) is None for name in self.known)

    def instead(self, text: str) -> str:
        """Return what may be meant."""
        near = did_you_mean(text.replace("*", "").rstrip("."), self.known)
        if near is not None:
            return near
        if not self.known:
            return f"there is no {self.what}: install the plug-in, or take this out"
        return f"known: {', '.join(sorted(self.known)[:12])}"


def idle_rules(config: Config, catalog: Catalog) -> list[Diagnostic]:
    """Return a warning for every rule that fits nothing, as far as that is known without a program."""
    merged = config.merged
    if merged is None:
        return []
    capabilities = _Names("capability of an installed plug-in", known_capabilities(catalog))
    found = [*_engines(config, merged), *_scopes(config, merged, catalog), *_prices(config, merged)]
    if not catalog.restricted and not catalog.problems:  # else there may be capabilities that are not seen now
        found += _granted(merged, capabilities, catalog)
    return found


def without_tenant(config: Config, *, said: bool) -> list[Diagnostic]:
    """Return a warning where tenants are bounded and nobody said for whom this is: none of their bounds counts then."""
    bounded = sorted(id_ for id_, each in config.tenants.items() if each.budgets or each.rates or each.deny)
    if said or not bounded or config.merged is None:
        return []
    message = f"no tenant is named, so the budgets, rates and denials of {', '.join(bounded[:8])} do not count"
    way_out = 'name one: --tenant ID or RTFS_TENANT; RTFS_TENANT="" says that it is for nobody in particular'
    return [_warning(config.merged, ("tenants", bounded[0]), message, way_out)]


def _granted(merged: Merged, capabilities: _Names, catalog: Catalog) -> Iterator[Diagnostic]:
    paths: list[KeyPath] = [("security", "grant")]
    paths += [("tenants", id_, "grant") for id_ in merged.data.get("tenants", {})]
    for path in paths:
        for place, text in _texts(merged, path):
            if not may_offer(catalog, text) and capabilities.misses(text):
                yield _warning(merged, place, f"grant '{text}' fits no {capabilities.what}", capabilities.instead(text))


def _scopes(config: Config, merged: Merged, catalog: Catalog) -> Iterator[Diagnostic]:
    """Yield the budgets and rates that no request can ever fall under."""
    engines = _Names("engine", tuple(dict.fromkeys((*merged.data.get("engines", {}), *catalog.engines))))
    targets = _Names("target", tuple(target_text(spec.target) for spec in config.providers))
    names = {"engine": engines, "target": targets}
    if config.tenants:
        names["tenant"] = _Names("tenant of [tenants]", tuple(config.tenants))
    for path in _budgets(merged):
        yield from _waits(merged, path)
        for key, known in names.items():
            for place, text in _texts(merged, (*path, key)):
                if known.misses(text):
                    message = f"'{text}' fits no {known.what}: what is said here never counts"
                    yield _warning(merged, place, message, known.instead(text))


def _waits(merged: Merged, path: KeyPath) -> Iterator[Diagnostic]:
    """Yield that nobody waits for a budget that is never renewed."""
    per = _at(merged, (*path, "per"), "")
    if _at(merged, (*path, "used_up"), "") == "wait" and per in ("run", "ever"):
        message = f'a budget per "{per}" is never renewed, so nothing waits for it: used_up = "wait" does nothing'
        yield _warning(merged, (*path, "used_up"), message, 'take it out, or say per = "hour", "day" or "month"')


def _prices(config: Config, merged: Merged) -> Iterator[Diagnostic]:
    """Yield the prices of models that nobody has."""
    known = tuple(dict.fromkeys(name for spec in config.providers for name in price_names(spec)))
    models = _Names("model that is configured", known)
    for name in merged.data.get("prices", {}):
        if models.misses(name):
            message = f"the price of '{name}' is that of no {models.what}"
            yield _warning(merged, ("prices", name), message, models.instead(name), key=True)


def _budgets(merged: Merged) -> Iterator[KeyPath]:
    """Yield where budgets and rates stand."""
    for section in ("budgets", "rates"):
        for name in merged.data.get(section, {}):
            yield section, name
        for id_, tenant in merged.data.get("tenants", {}).items():
            for name in tenant.get(section, {}):
                yield "tenants", id_, section, name


def _engines(config: Config, merged: Merged) -> Iterator[Diagnostic]:
    """Yield the engines that are configured and stand nowhere in the tree that decides."""
    used: set[str] = set()
    left = [config.engine, config.shadow]
    while left:
        spec = left.pop()
        if isinstance(spec, EngineSpec) and spec.name not in used:
            used.add(spec.name)
            left += [each for named in spec.children.values() for each in named if isinstance(each, EngineSpec)]
    for name in merged.data.get("engines", {}):
        if name not in used:
            top = "none" if config.engine is None else f"'{config.engine.name}'"
            message = f"the engine '{name}' never decides: it is not in the tree of [delegation] engine, {top}"
            way_out = f'write engine = "{name}", or name it below another engine'
            yield _warning(merged, ("engines", name), message, way_out, key=True)


def without_function(
    config: Config, claimed: Iterable[str], functions: Sequence[str], capabilities: Sequence[str]
) -> list[Diagnostic]:
    """Return a hint for every route, rule and budget that speaks of functions and of none of a program's.

    `claimed` are the names and patterns that its engines speak of, `functions` those of the program. A deny rule may
    mean a capability as well.
    """
    merged = config.merged
    if merged is None:
        return []
    return [_hint(merged, *each) for each in _missing(merged, claimed, functions, capabilities)]


def misspelt(
    config: Config, claimed: Iterable[str], functions: Sequence[str], capabilities: Sequence[str]
) -> list[Diagnostic]:
    """Return a warning for each of them that is nearly the name of a function which nothing else speaks of."""
    merged = config.merged
    if merged is None:
        return []
    claims = tuple(claimed)
    spoken = compile_patterns((*claims, *(text for _, text, _ in _symbols(merged))))
    free = [name for name in functions if spoken(name) is None]
    found = []
    for path, text, key, _ in _missing(merged, claims, functions, capabilities) if free else ():
        if not is_pattern(text) and did_you_mean(text, free) is not None:
            names = _Names("function of this program", tuple(free))
            found.append(attrs.evolve(_hint(merged, path, text, key, names), severity="warning"))
    return found


_Missing = tuple["KeyPath", str, bool, _Names]


def _missing(
    merged: Merged, claimed: Iterable[str], functions: Sequence[str], capabilities: Sequence[str]
) -> Iterator[_Missing]:
    """Yield what speaks of no function of a program: where, the text, whether it is a key, and what it might mean."""
    names = _Names("function of this program", tuple(functions))
    also = _Names("function of this program, and no capability", (*functions, *capabilities))
    told = set()
    for path, text, key in _symbols(merged):
        told.add(text)
        meant = also if path[-2:-1] == ("deny",) else names
        if meant.misses(text):
            yield path, text, key, meant
    for text in claimed:
        place = _place_of_rule(merged, text) if text not in told and names.misses(text) else None
        if place is not None:
            yield place, text, False, names


def _hint(merged: Merged, path: KeyPath, text: str, key: bool, names: _Names) -> Diagnostic:
    message = f"'{text}' fits no {names.what}"
    return attrs.evolve(_warning(merged, path, message, names.instead(text), key=key), severity="hint")


def _symbols(merged: Merged) -> Iterator[tuple[KeyPath, str, bool]]:
    """Yield where the host's own tables speak of functions: the path, the text, and whether it is a key."""
    tenants: dict[str, Any] = merged.data.get("tenants", {})
    tables: list[KeyPath] = [("delegation", "static_routes"), *(("tenants", id_, "static_routes") for id_ in tenants)]
    for table in tables:
        for text in _at(merged, table, {}):
            yield (*table, text), text, True
    lists: list[KeyPath] = [("security", "deny"), *(("tenants", id_, "deny") for id_ in tenants)]
    lists += [(*path, "symbol") for path in _budgets(merged)]
    for path in lists:
        for place, text in _texts(merged, path):
            yield place, text, False


def _place_of_rule(merged: Merged, text: str) -> KeyPath | None:
    """Return where an engine's table names a function, None when it does so in no way that is seen."""
    left: list[tuple[KeyPath, Any]] = [(("engines",), merged.data.get("engines", {}))]
    while left:
        path, value = left.pop()
        if value == text:
            return path
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        left += [((*path, key), item) for key, item in items]
    return None


def _at(merged: Merged, path: KeyPath, otherwise: Any) -> Any:
    found: Any = merged.data
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return otherwise if found is None else found


def _texts(merged: Merged, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield the texts of a key, written as a text or as a list, each with its place."""
    value = _at(merged, path, ())
    if isinstance(value, str):
        yield path, value
    else:
        for place, text in enumerate(value):
            yield (*path, place), text.get("id", "") if isinstance(text, dict) else text


def _warning(merged: Merged, path: KeyPath, message: str, way_out: str | None, *, key: bool = False) -> Diagnostic:
    source, span = merged.at(path, key=key)
    return Diagnostic(
        code=CODE,
        message=message,
        source=source,
        span=span,
        help=way_out,
        kind="ConfigError",
        severity="warning",
    )
