"""Admission: one plugin in, the records that it offers and its problems out. The only module that imports pluggy.

Each plugin gets a `PluginManager` of its own, so a plugin that raises, or wraps a hook, reaches nobody else's records.
What is right in a plugin is kept when something else in it is wrong, except that a plugin written for another API
version is not looked at further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs
import pluggy

from rtfs_framework.api import API_VERSION
from rtfs_framework.api.hookspecs import RtfsHookSpecs
from rtfs_framework.api.markers import PROJECT
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.registry import timing
from rtfs_framework.registry.api_range import NAMES, NoRangeError, fits, is_newer, served
from rtfs_framework.registry.faults import is_theirs
from rtfs_framework.registry.fields import flaw_of
from rtfs_framework.registry.kinds import KINDS, Kind
from rtfs_framework.registry.printing import printed
from rtfs_framework.registry.problems import (
    HOOK,
    IMPORT,
    PRINTED,
    RECORDS,
    VERSION,
    PluginProblem,
    Provenance,
    describe,
    without,
)

HOOKS = tuple(kind.hook for kind in KINDS)

CHANGES = {
    1: (
        "set rtfs_api_version = 2; an engine's `decide` reads the call through its context (`args`, `types`, ...) and "
        "asks a model by `context.consult`, so `conclude`, `Consult`, `PlanScope`, "
        "`context.call` and `Candidate.healthy` are gone; `EngineSettings.routes` maps to tuples of targets; a "
        "`ProviderError` says `failure` (what it is evidence of) instead of `retryable`, and a provider asks once"
    )
}
"""By the version of the API that a plugin was written for: what its authors change for this one."""


@attrs.frozen(slots=True)
class Offer:
    """One record that a plugin offers under a name."""

    kind: Kind
    name: str
    entry: Any
    provenance: Provenance


@attrs.define(slots=True)
class _Admission:
    """What is known of one plugin so far."""

    provenance: Provenance
    offers: list[Offer] = attrs.field(factory=list)
    problems: list[PluginProblem] = attrs.field(factory=list)

    def complain(
        self,
        code: str,
        message: str,
        way_out: str,
        cause: BaseException | None = None,
        *,
        severity: str = "error",
    ) -> None:
        named = (self.provenance.distribution,)
        text = f"{self.provenance}: {message}"
        self.problems.append(
            PluginProblem(code=code, message=text, distributions=named, help=way_out, severity=severity, cause=cause)
        )


def admit(load: Callable[[], Any], provenance: Provenance) -> tuple[list[Offer], list[PluginProblem]]:
    """Import a plugin and ask it, once, for everything that it offers. Raises nothing that the plugin caused."""
    admission = _Admission(provenance)
    with printed() as kept:
        _admit(load, admission)
    if kept.line:
        message = f"`{provenance.module}` prints while it is loaded: {kept.line}"
        way_out = f"it is left out of the output; tell the authors of {provenance.distribution} to log instead"
        admission.complain(PRINTED, message, way_out, severity="warning")
    return admission.offers, admission.problems


def _admit(load: Callable[[], Any], admission: _Admission) -> None:
    provenance = admission.provenance
    started = timing.now()
    try:
        plugin = load()
    except BaseException as error:
        if not is_theirs(error):
            raise KeyboardInterrupt(f"while `{provenance.module}` of {provenance} was imported") from error
        message = f"`{provenance.module}` cannot be imported: {describe(error)}"
        admission.complain(IMPORT, message, without(provenance, "reinstall or upgrade it"), error)
        return
    imported = timing.now()
    manager = _manager(plugin, admission) if _version_fits(plugin, admission) else None
    if manager is not None:
        for kind in KINDS:
            _ask(getattr(manager.hook, kind.hook), kind, admission)
    timing.note(provenance, started, imported, timing.now())


def _version_fits(plugin: Any, admission: _Admission) -> bool:
    version = next((said for said in (_looked_at(plugin, name) for name in NAMES) if said is not None), None)
    module = admission.provenance.module
    newer, changed = False, None
    try:
        if version is not None and fits(version):
            return True
        if version is not None:
            newer, changed = is_newer(version), CHANGES.get(version) if version.__class__ is int else None
    except NoRangeError as error:
        message = f"`{module}` says wrongly which plugin API it was written for: {error}"
        admission.complain(VERSION, message, f'write `rtfs_requires_api = ">={API_VERSION},<{API_VERSION + 1}"`')
        return False
    if version is None:
        message = f"`{module}` does not say which plugin API it was written for"
        way_out = f"put `rtfs_api_version = {API_VERSION}` into {module}"
    else:
        message = f"`{module}` was written for plugin API {version}; this host serves {served()}"
        message = message if changed is None else f"{message}. What to change in it: {changed}"
        way_out = without(admission.provenance, "upgrade rtfs-framework" if newer else "upgrade the plugin")
    admission.complain(VERSION, message, way_out)
    return False


def _manager(plugin: Any, admission: _Admission) -> pluggy.PluginManager | None:
    """Return a manager that holds this plugin alone, or None when its hooks do not fit their specs."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(RtfsHookSpecs)
    try:
        _check_names(plugin, manager, admission)
        manager.register(plugin, admission.provenance.distribution)
    except pluggy.PluginValidationError as error:
        _refuse(str(error).replace("\n", " "), admission, error)
        return None
    except BaseException as error:  # an attribute of the plugin's object that raises when looked at
        if not is_theirs(error):
            raise
        _refuse(f"its hooks cannot be read: {describe(error)}", admission, error)
        return None
    return manager


def _looked_at(plugin: Any, name: str) -> Any:
    """Return an attribute of a plugin's object, None when there is none or looking at it fails."""
    try:
        return getattr(plugin, name, None)
    except BaseException as error:
        if not is_theirs(error):
            raise
        return None


def _refuse(message: str, admission: _Admission, error: BaseException) -> None:
    admission.complain(HOOK, message, f"hooks take no arguments; they are {', '.join(HOOKS)}", error)


def _check_names(plugin: Any, manager: pluggy.PluginManager, admission: _Admission) -> None:
    """Complain of every marked hook that does not exist, and of every hook that was not marked."""
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is None:
            if name in HOOKS:
                message = f"`{admission.provenance.module}.{name}` is not marked as a hook, so it is never called"
                admission.complain(HOOK, message, "put `@hookimpl` (from rtfs_framework.api) above it")
            continue
        hook = options.get("specname") or name
        if hook not in HOOKS and not options.get("optionalhook"):
            hint = did_you_mean(hook, HOOKS)
            message = f"`{admission.provenance.module}.{name}`: there is no hook `{hook}`" + (
                f"; {hint}" if hint else ""
            )
            admission.complain(HOOK, message, f"the hooks are {', '.join(HOOKS)}")


def _ask(hook: pluggy.HookCaller, kind: Kind, admission: _Admission) -> None:
    """Call one hook of the plugin and keep the records that it returns."""
    if not hook.get_hookimpls():
        return
    where = f"`{kind.hook}`"
    expected = f"return an iterable of {kind.record} records"
    try:
        answers = hook()
        records: list[Any] = [record for answer in answers for record in _each(answer)]
        offered = [_offer(record, kind) for record in records]
    except BaseException as error:
        if not is_theirs(error):
            who = admission.provenance
            raise KeyboardInterrupt(f"while {where} of `{who.module}` ({who}) was asked") from error
        message = f"{where} failed: {describe(error)}"
        admission.complain(RECORDS, message, without(admission.provenance, "upgrade it"), error)
        return
    if not answers:
        admission.complain(RECORDS, f"{where} returned None", expected)
    for name, record, wrong in offered:
        if wrong is None:
            admission.offers.append(Offer(kind, name, record, admission.provenance))
        else:
            admission.complain(RECORDS, f"{where} offers {wrong}", expected)


def _offer(record: Any, kind: Kind) -> tuple[str, Any, str | None]:
    """Return a record with its name, and what is wrong with it."""
    if not isinstance(record, kind.record_class()):
        return "", record, f"{_article(record)}, which is no {kind.record}"
    name: Any = getattr(record, kind.key)
    if not (isinstance(name, str) and name):
        return "", record, f"a record whose {kind.key} is {name!r}; give it a name"
    wrong = flaw_of(kind, record)
    return name, record, None if wrong is None else f"the {kind.word} `{name}`, {wrong}"


def _each(answer: Any) -> Iterable[Any]:
    """Return the records of a hook's answer; what is no iterable of records stands for itself, to be refused."""
    return answer if isinstance(answer, Iterable) and not isinstance(answer, str | bytes) else (answer,)


def _article(record: Any) -> str:
    name = type(record).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
