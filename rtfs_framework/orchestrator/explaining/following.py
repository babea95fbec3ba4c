"""Following a run to other hosts: is what each of them wrote of its part as it was written?

In: a run whose own record was proved, and how many hosts may be passed. Out: what each host says that gave an answer,
and what is wrong. A host proves its own journal, and that the head that this record names is in it: so a host that
wrote its journal anew, with its own key, is found by the record here, and a record here that was changed by its hash.
The other way round, its record names the run, the call and the head of who asked: they must be in the journal here, so
one that was written anew here is found by the record there.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.errors import ProviderError
from rtfs_framework.api.remote import Followed, RemoteRun
from rtfs_framework.orchestrator.concurrency.deadlines import OverdueError
from rtfs_framework.orchestrator.recording.journal.chain import Head
from rtfs_framework.orchestrator.recording.journal.query import entries_of
from rtfs_framework.orchestrator.recording.journal.recorded import target_of
from rtfs_framework.orchestrator.recording.journal.verify import holds

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance

MOST_RUNS = 1_000
SECONDS = 30.0


def follow(host: Host, path: Path, run: str, hops: int, seconds: float = inf) -> tuple[Followed, ...]:
    """Return what other hosts say of the runs that a run had answers from, each once. It blocks.

    Nobody is asked any more when so many seconds are over: what is not known then is not intact.

    Raises:
        JournalError: The journal cannot be read.
    """
    asked = _asked(path, run)
    if not asked:
        return ()
    found = host.io.wait(_all(host, asked, hops, monotonic() + seconds)) or ()
    return tuple(_back(path, each) for each in found)


def _back(path: Path, found: Followed) -> Followed:
    """Return what a host says, with what is wrong about whom its record has as its asker.

    That need not be the run that is followed: an answer may be given again to one that was begun anew.
    """
    by, problem = found.asked_by, ""
    if by.head and not _has_head(path, by.head):
        problem = "its record names a head that is not in this journal: the journal here was written anew"
    elif by.run and not _has_call(path, by.run, by.call):
        problem = f"its record says that call {by.call or '?'} of run {by.run[:12]} asked, which this journal has not"
    return attrs.evolve(found, ok=False, problems=(*found.problems, problem)) if problem else found


def _has_head(path: Path, head: str) -> bool:
    try:
        return holds(path, Head.parse(head))
    except ValueError:
        return False


def _has_call(path: Path, run: str, call: str) -> bool:
    names = ("entry", "record", "path")
    return any(
        not call or call == ":".join(str(each[name]) for name in names if each[name] is not None)
        for each in entries_of(path, run)
    )


def wrong_in(followed: tuple[Followed, ...]) -> list[str]:
    """Return what is wrong on other hosts, each with the way to it."""
    found: list[str] = []
    for each in followed:
        who = f"{each.host or 'another host'}, run {each.run[:12]}"
        found += [f"{who}: {problem}" for problem in each.problems]
        if not each.ok and not each.problems:
            found.append(f"{who}: its record is not intact")
        found += [f"{who} -> {problem}" for problem in wrong_in(each.followed)]
    return found


def followed_json(followed: tuple[Followed, ...]) -> list[dict[str, Any]]:
    """Return the same as JSON-ready data, as the protocol has it."""
    return [
        {
            "host": each.host,
            "run": each.run,
            "head": each.head,
            "ok": each.ok,
            "problems": list(each.problems),
            "followed": followed_json(each.followed),
        }
        for each in followed
    ]


def all_ok(followed: tuple[Followed, ...]) -> bool:
    """Tell whether every record on the way is intact."""
    return all(each.ok and all_ok(each.followed) for each in followed)


def _asked(path: Path, run: str) -> list[RemoteRun]:
    """Return the runs on other hosts that a run names."""
    found: dict[tuple[str, str], RemoteRun] = {}
    for entry in entries_of(path, run):
        told: Mapping[str, Any] = entry.get("remote") or {}
        if told.get("run") and len(found) < MOST_RUNS:
            host, there, head, target = (str(told.get(name, "")) for name in ("host", "run", "head", "target"))
            found[host, there] = RemoteRun(host=host, run=there, head=head, target=target)
    return list(found.values())


async def _all(host: Host, asked: list[RemoteRun], hops: int, until: float) -> list[Followed]:
    return [await _one(host, each, hops, min(SECONDS, until - monotonic())) for each in asked]


async def _one(host: Host, asked: RemoteRun, hops: int, seconds: float) -> Followed:
    if seconds <= 0:
        return _unknown(asked, "it was not asked: the time for that is over")
    if hops < 1:
        return _unknown(asked, "it was not asked: the chain is longer than the hops that are allowed")
    instance = host.pool.get(target_of(asked.target))
    way = None if instance is None else getattr(instance.provider(), "follow", None)
    if instance is None or not callable(way):
        return _unknown(asked, f"it cannot be asked: '{asked.target}' is not configured here any more")
    try:
        found = await instance.outside.call("`follow`", seconds, lambda: way(asked, hops - 1, seconds))
    except (ProviderError, OverdueError) as error:
        return _unknown(asked, f"it does not say: {error}")
    except Exception as error:  # noqa: BLE001 - a plugin's failure is told, and proves nothing
        return _unknown(asked, f"its provider broke: {type(error).__name__}")
    return _checked(asked, found, instance)


def _checked(asked: RemoteRun, found: Any, instance: ProviderInstance) -> Followed:
    if not isinstance(found, Followed) or found.run != asked.run:
        return _unknown(asked, f"'{instance.spec.id}' speaks of something else")
    return attrs.evolve(found, host=asked.host, ok=found.ok and not found.problems and all_ok(found.followed))


def _unknown(asked: RemoteRun, why: str) -> Followed:
    return Followed(run=asked.run, head=asked.head, host=asked.host, problems=(why,))
