"""The file of a pinned plan: read with places, and refused for a program, policy or targets that it was not made for.

In: a path, a host, a compiled program. Out: a `Pinned`, or a ConfigError that says what has changed since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.errors import ConfigError, config_error
from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
from rtfs_framework.lang.digest import digest
from rtfs_framework.orchestrator.config.routes import Unknown, parse_target, target_text
from rtfs_framework.orchestrator.deciding.pinned import Pin, Pinned, candidate_digest
from rtfs_framework.orchestrator.deciding.policy import policy_parts
from rtfs_framework.orchestrator.performing.published import trust_digest

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.orchestrator.host import Host

STALE = "E0730"
VERSION = 1
_MOST_TOLD = 12


@attrs.frozen(slots=True, kw_only=True)
class SiteTable:
    """`[[site]]`: where the calls at one place go; without `at`, those of the function at all places."""

    function: str
    digest: str
    target: str
    at: str = ""


@attrs.frozen(slots=True, kw_only=True)
class PlanFile:
    """The whole file."""

    version: int = attrs.field()
    program: str
    policy: Mapping[str, str] = attrs.field(factory=dict)
    candidates: Mapping[str, str] = attrs.field(factory=dict)
    site: Sequence[SiteTable] = ()

    @version.validator
    def _known(self, _: Any, value: int) -> None:
        if value != VERSION:
            raise ValueError(f"'version' is {value}, and this is made for plans of version {VERSION}")


def read_plan(path: Path, host: Host, *, asked_for: bool = True) -> Pinned:
    """Return the plan that a file holds.

    Raises:
        ConfigError: It cannot be read, has mistakes, or names what is no target of this host.
    """
    from rtfs_framework.api.toml_places import read_toml, structure

    data, places = read_toml(path)
    table = structure(PlanFile, data, places)
    local, remote = host.pool.ids(LocalModel), host.pool.ids(RemoteModel)
    pins: list[Pin] = []
    for number, site in enumerate(table.site):
        target = parse_target(site.target, local, remote)
        if isinstance(target, Unknown):
            raise places.error("E0706", target.message, ("site", number, "target"), target.help)
        before = next((each for each in pins if (each.symbol, each.place) == (site.function, site.at)), None)
        if before is not None:
            message = f"a second entry for `{site.function}`{f' at {site.at}' if site.at else ''}"
            raise places.error("E0705", message, ("site", number, "function"), "leave one of them out")
        pins.append(Pin(site.function, target, site.digest, site.at))
    return Pinned(
        name=path.name,
        path=str(path),
        program=table.program,
        digest=digest(places.source.text),
        pins=tuple(pins),
        policy=dict(table.policy),
        candidates=dict(table.candidates),
        asked_for=asked_for,
    )


def is_plan(path: Path) -> bool:
    """Tell whether a file looks like a plan, whatever mistakes it has."""
    from rtfs_framework.api.toml_places import read_toml

    try:
        data, _ = read_toml(path)
    except ConfigError:
        return False
    return {"version", "program"} <= data.keys()


def pin(host: Host, asked: str | Path | None = None) -> Pinned:
    """Make a host go by a plan: the one that is asked for, else the one that its configuration names.

    Raises:
        ConfigError: It cannot be read, or has mistakes.
    """
    path = Path(asked or host.config.plan or "")
    found = host.dispatcher.delegator.pinned = read_plan(path, host, asked_for=asked is not None)
    return found


def candidates_of(host: Host) -> dict[str, str]:
    """Return what is known of the targets that may be chosen, by their texts; whatever a manifest leaves of them."""
    precedence = host.dispatcher.delegator.precedence
    security = precedence.security
    if security.rules.signed is not None:
        unsigned = attrs.evolve(security, rules=attrs.evolve(security.rules, signed=None))
        precedence = attrs.evolve(precedence, security=unsigned)
    found, _ = precedence.weighed()
    return {target_text(each.target): candidate_digest(each) for each in found if _is_model(each.target)}


def policy_of(host: Host) -> dict[str, str]:
    """Return the digests of the policy's parts."""
    trust = trust_digest(host.dispatcher.shelf.shelf.ring)
    return policy_parts(host.config, host.pool, host.dispatcher.delegator.engine, trust)


def check_pinned(host: Host, artifact: Artifact) -> None:
    """Refuse to run a program by a plan that was made for something else.

    A plan that a configuration names is left alone by other programs; one that was asked for is of this program.

    Raises:
        ConfigError: E0730, with what has changed.
    """
    plan = host.dispatcher.delegator.pinned
    if plan is None:
        return
    name = PurePath(artifact.source.name).name
    if plan.program != name:
        if plan.asked_for:
            wrong = f"{plan.name} is a plan of {plan.program}, and this is {name}"
            raise config_error(STALE, wrong, help=f"make one: rtfs plan {name}")
        return
    found = list(changes(plan, host, artifact))
    if found:
        raise stale(plan, found, artifact.source.name)


def stale(plan: Pinned, found: Sequence[str], program: str) -> ConfigError:
    """Return the error that says what a plan no longer fits."""
    usual = plan.path in ("", f"{program}.plan.toml")
    again = f"rtfs plan {program} --update" + ("" if usual else f" --output {plan.path}")
    told = found[:_MOST_TOLD]
    more = [f"and {len(found) - len(told)} more"] if len(found) > len(told) else []
    return config_error(
        STALE,
        f"{plan.name} was made for something else: {'; '.join([*told, *more])}",
        help=f"`{again}` shows the difference and writes it anew; or run without it",
    )


def changes(plan: Pinned, host: Host, artifact: Artifact) -> Iterator[str]:
    """Yield what has changed since a plan was made: functions, targets, and parts of the policy."""
    now = {each.name: each.body_digest for each in artifact.signatures}
    for symbol, function in dict.fromkeys((each.symbol, each.function) for each in plan.pins):
        if symbol not in now:
            yield f"the function `{symbol}` is gone"
        elif now[symbol] != function:
            yield f"the function `{symbol}` has changed"
    yield from _compared(plan.candidates, candidates_of(host), "the target")
    yield from _compared(plan.policy, policy_of(host), "of the policy,")


def _compared(then: Mapping[str, str], now: Mapping[str, str], what: str) -> Iterator[str]:
    for name in sorted({*then, *now}):
        if name not in now:
            yield f"{what} {name} is gone"
        elif name not in then:
            yield f"{what} {name} is new"
        elif then[name] != now[name]:
            yield f"{what} {name} has changed"


def _is_model(target: ExecTarget) -> bool:
    return isinstance(target, LocalModel | RemoteModel)
