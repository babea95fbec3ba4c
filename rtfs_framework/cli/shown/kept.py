"""What caches keep, as people look for it: entries with what is known of them, filters, and how both are shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from rtfs_framework.api.cache import CacheItem, CacheLevel
from rtfs_framework.api.units import duration
from rtfs_framework.cli.problems import problem
from rtfs_framework.cli.shown.cells import clean, cut
from rtfs_framework.cli.shown.columns import age
from rtfs_framework.cli.shown.words import money

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.remembering.cache_stack import CacheStack
    from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer

F = TypeVar("F", bound=Callable[..., Any])

NANO = 1_000_000_000
UNPAID = (CacheLevel.L1, CacheLevel.L4)
"""What these keep is made anew for nothing: plans and compiled programs."""
_CODE = "E0811"
_ID = 12
"""Letters of a digest that are shown."""


@attrs.frozen(slots=True)
class Entry:
    """One kept record, and where it is kept."""

    name: str
    """The layer's."""
    layer: SafeLayer
    item: CacheItem

    @property
    def id(self) -> str:
        """What names it: the digest of its key."""
        return self.item.key.digest

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data, without its value."""
        record = self.item.record
        return {
            "id": self.id,
            "layer": self.name,
            "namespace": self.item.key.namespace,
            "stored_at": record.stored_at,
            "expires_at": record.expires_at,
            "uses": record.uses,
            **attrs.asdict(record.info),
        }


@attrs.frozen(slots=True, kw_only=True)
class Wanted:
    """Which entries are meant; what is not said does not matter."""

    layer: str | None = None
    symbol: str | None = None
    target: str | None = None
    model: str | None = None
    tenant: str | None = None
    agent: str | None = None
    task: str | None = None
    tag: str | None = None
    older: float | None = None
    newer: float | None = None
    reply: str | None = None

    @property
    def nothing(self) -> bool:
        """Tell whether nothing is said."""
        return self == Wanted()

    def fits(self, entry: Entry, now: float) -> bool:
        """Tell whether an entry is meant."""
        from rtfs_framework.orchestrator.recording.lineage import rests_on

        info, since = entry.item.record.info, now - entry.item.record.stored_at
        globs = ((self.symbol, info.symbol), (self.target, info.target), (self.model, info.model))
        words = ((self.tenant, info.tenant), (self.agent, info.agent), (self.task, info.task))
        return (
            all(glob is None or fnmatchcase(found, glob) for glob, found in globs)
            and all(word is None or word == found for word, found in words)
            and (self.tag is None or self.tag in info.tags)
            and (self.older is None or since >= self.older)
            and (self.newer is None or since < self.newer)
            and (self.reply is None or rests_on(info, self.reply))
        )


class Age(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A stretch of time, such as 2h or "30 min"; its value is seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds of a text."""
        found = value if isinstance(value, float) else duration(str(value))
        if found is None:
            self.fail(f"{value!r} is no duration such as 2h, 30min or 7d", param, ctx)
        return float(found)


_OPTIONS = (
    ("--layer", {"metavar": "NAME", "help": "What this layer keeps (`rtfs cache stats` names them)."}),
    ("--symbol", {"metavar": "GLOB", "help": "Of these functions, such as app/*."}),
    ("--target", {"metavar": "GLOB", "help": "From these targets."}),
    ("--model", {"metavar": "GLOB", "help": "From these models, such as gpt-4o*."}),
    ("--tenant", {"metavar": "ID", "help": "Of this tenant; '' is nobody in particular."}),
    ("--agent", {"metavar": "NAME", "help": "That this agent asked for."}),
    ("--task", {"metavar": "NAME", "help": "That was asked for in this task."}),
    ("--tag", {"metavar": "WORD", "help": "With this tag."}),
    ("--older", {"type": Age(), "metavar": "TIME", "help": "Kept for at least so long, such as 2h."}),
    ("--newer", {"type": Age(), "metavar": "TIME", "help": "Kept for less than this."}),
    ("--reply", {"metavar": "ID", "help": "This reply (RUN:CALL), and all that came from it."}),
)


def filters(function: F) -> F:
    """Add the options that say which entries are meant."""
    found = function
    for name, more in reversed(_OPTIONS):
        found = click.option(name, **more)(found)
    return found


def entries(caches: CacheStack, wanted: Wanted) -> list[Entry]:
    """Return the entries that are meant: of a layer that is named, else of all that keep what was paid for.

    Raises:
        click.UsageError: There is no such layer, or it is off.
    """
    now = time.time()
    chosen = layers(caches, wanted.layer)
    found = (Entry(name, layer, item) for name, layer in chosen for item in layer.scan())
    return [each for each in found if wanted.fits(each, now)]


def layers(caches: CacheStack, name: str | None) -> list[tuple[str, SafeLayer]]:
    """Return the layer of a name, or all that keep what was paid for.

    Raises:
        click.UsageError: There is no such layer, or it is off.
    """
    if name is None:
        return [(each, layer) for each, (entry, layer) in caches.layers.items() if entry.level not in UNPAID]
    if name not in caches.layers:
        known = ", ".join(caches.layers) or "none is on: see `rtfs plugins`"
        raise click.UsageError(f"there is no layer '{clean(name)}' that is on; there are: {known}")
    return [(name, caches.layers[name][1])]


def require_working(chosen: Iterable[tuple[str, SafeLayer]], what: str) -> None:
    """Refuse to call something done where a layer that is meant is out, or its server: why was told when it was met.

    Raises:
        InputError: E0811, one is out.
    """
    out = [name for name, layer in chosen if state(layer)]
    if out:
        names = " and ".join(out)
        raise problem(_CODE, f"{what} {names}: it does not work now", "see what was told of it, and try again")


def state(layer: SafeLayer) -> str:
    """Return why nobody can look at what a layer keeps, "" where one can."""
    counted = layer.stats()
    if layer.broken or counted is None:
        return "it cannot be read"
    return "its server is away" if counted.away else ""


def of_id(found: Sequence[Entry], beginning: str) -> list[Entry]:
    """Return the entry whose id begins so, once for each layer that keeps it: what is forgotten, none may serve.

    Raises:
        click.UsageError: There is none, or more than one.
    """
    fitting = [each for each in found if each.id.startswith(beginning)] if beginning else []
    if len({each.id for each in fitting}) != 1:
        how_many = f"{len(fitting)} entries begin" if fitting else "no entry begins"
        raise click.UsageError(f"{how_many} with '{clean(beginning)}'; `rtfs cache list` names them")
    return fitting


def saved(found: Iterable[Entry]) -> tuple[int, int]:
    """Return how many replies were served, and what they would have cost (nano-dollars, as far as it is known)."""
    served = cost = 0
    for each in found:
        record = each.item.record
        served += record.uses
        cost += record.uses * (record.info.cost or 0)
    return served, cost


def table(found: Sequence[Entry]) -> list[tuple[str, ...]]:
    """Return the rows of a table for people, the head first."""
    now = time.time()
    rows: list[tuple[str, ...]] = [("id", "layer", "function", "model", "tenant", "age", "used", "cost", "reply")]
    for each in found:
        record = each.item.record
        info = record.info
        cost = "?" if info.cost is None else money(info.cost / NANO)
        cells = (each.id[:_ID], each.name, cut(clean(info.symbol), 30), cut(clean(info.model), 24), clean(info.tenant))
        rows.append((*cells, age(now - record.stored_at), str(record.uses), cost, clean(info.reply)))
    return rows
