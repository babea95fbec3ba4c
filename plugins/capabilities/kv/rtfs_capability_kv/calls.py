"""The capabilities: each call one transaction of the file, done once however often it is made.

A call that changes something notes its reply under its key in the same transaction, so one that is made again because
nobody knows how it ended (a crash) gets that reply and does nothing. What a call tells or decides by is marked as the
entries are that it looked at, its errors too, and what it keeps is marked so. Where the host carries no marks, a call
that looked at marked entries does nothing and is refused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from rtfs_capability_kv import tables
from rtfs_capability_kv.arguments import Operation, failed, few, granted, key_of, operations_of, spread, text_of
from rtfs_capability_kv.plugin import ALIASES, FILE, KvGrant, KvSettings
from rtfs_capability_kv.tables import Kept
from rtfs_framework.api import (
    CapabilityEntry,
    CapabilityError,
    CapabilityRequest,
    CapabilitySetSettings,
    Described,
    FailureKind,
    HeldFile,
    Keyword,
    LanguageError,
    Map,
    Value,
    digest,
    in_transaction,
    read_value,
    write,
)

MOST_LISTED = 10_000
MOST_TOLD = 16 << 20
"""Characters of the values in one reply, as text."""
_KEY = "[:union :string :keyword]"
_GET = f"[:union {_KEY} [:map [:key {_KEY}]]]"
_FACTS = "[:map [:key :string] [:version :int] [:value :any ?]]"
_OPERATION = f"[:map [:op :keyword] [:key {_KEY}] [:value :any ?] [:version :int ?]]"
_DONE = f"[:map [:done :bool] [:conflicts [:vector :string]] [:results [:vector {_FACTS}]]]"
_LISTED = f"[:union {_KEY} [:map [:prefix :string ?] [:after :string ?] [:most :int ?]]]"
_LARGEST = 2**63 - 1
_REFUSED = "SecurityViolation"

Told = tuple[Value, frozenset[str]]
"""A reply and its marks."""
Work = Callable[["Visit"], Value]


class Visit:
    """One call within its transaction; gathers the marks of all that it looks at."""

    def __init__(self, db: sqlite3.Connection, request: CapabilityRequest, own: KvSettings) -> None:
        self.db, self.request, self._own = db, request, own
        self.marks: frozenset[str] = frozenset()
        self._told = 0

    def done(self, work: Work) -> Value:
        """Do the work; raises CapabilityError, with the marks of what was looked at."""
        try:
            value = work(self)
        except CapabilityError as error:
            see_that_carried(self.request, self.marks | error.marks)
            error.marks |= self.marks
            raise
        see_that_carried(self.request, self.marks)
        return value

    def look(self, key: str) -> Kept:
        """Return what is kept under a key."""
        found = tables.look(self.db, self.request.tenant, key)
        self.marks |= found.marks
        return found

    def facts(self, key: str, kept: Kept) -> Value:
        """Return what one of several keys holds; raises CapabilityError when they hold too much for one reply."""
        self._told += len(kept.text or "")
        if self._told > MOST_TOLD:
            raise failed(f"these keys hold more than {MOST_TOLD:,} characters; ask for fewer at once", "ResourceError")
        found = {"key": key, "version": _version(kept), "value": _value(kept)}
        return Map.of((Keyword(name), value) for name, value in found.items())

    def put(self, key: str, text: str | None) -> int:
        """Keep a text under a key, None for nothing; return the version, 0 where nothing is there.

        Raises:
            CapabilityError: The tenant keeps as much as it may.
        """
        tenant, marks = self.request.tenant, self.request.marks | self.marks
        if text is None:
            tables.delete(self.db, tenant, key, marks)
            return 0
        version = tables.put(self.db, tenant, key, text, marks)
        keys, size = tables.totals(self.db, tenant)
        if keys > self._own.most_keys or size > self._own.most_bytes:
            self.marks |= tables.every(self.db, tenant)  # it is told how much there is
            full = f"{self._own.most_keys:,} keys or {self._own.most_bytes:,} bytes"
            raise failed(
                f"there are {full} already; delete some, or raise `most_keys` or `most_bytes`", "ResourceError"
            )
        return version


class KvSet:
    """`kv.get`, `kv.put` and what else is done with values under keys."""

    def __init__(self, settings: CapabilitySetSettings) -> None:
        own = settings.own or KvSettings()
        self._own: KvSettings = own
        path = Path(settings.directory, FILE) if own.path is None else Path(settings.base, own.path)
        self._file = HeldFile(path, tables.TABLES, _unusable, damaged=(LanguageError,))

    def entries(self) -> list[CapabilityEntry]:
        """Return all of them."""
        made = self._entry
        return [
            made("get", "Return the value under a key, nil where there is none.", self._get, (_GET,), ":any"),
            made("read", "Return values and versions of several keys as of one moment.", self._read,
                 (f"[:vector {_KEY}]",), f"[:vector {_FACTS}]"),
            made("keys", "Return the keys that begin with a text, in order.", self._keys, (_LISTED,),
                 "[:vector :string]"),
            made("put", "Keep a value under a key; return its version.", self._put, None, ":int", changes=True),
            made("delete", "Take away what is under a key; tell whether there was something.", self._delete, (_KEY,),
                 ":bool", changes=True),
            made("add", "Add to the integer under a key (0 where there is none); return the sum.", self._add,
                 (_KEY, ":int"), ":int", changes=True),
            made("replace", "Keep a value in place of an expected one (nil: none); tell whether it was that.",
                 self._replace, (_KEY, ":any", ":any"), ":bool", changes=True),
            made("transaction", "Do several operations, all or none: not where a version is not as expected.",
                 self._transaction, (f"[:vector {_OPERATION}]",), _DONE, changes=True),
        ]  # fmt: skip

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _get(self, request: CapabilityRequest) -> Value:
        key = granted(request.grants, key_of((spread(request.args, "key") or request.args)[0]))
        return self._looked(request, lambda visit: _value(visit.look(key)))

    def _read(self, request: CapabilityRequest) -> Value:
        keys = [granted(request.grants, key_of(each)) for each in few(request.args[0])]
        return self._looked(request, lambda visit: tuple(visit.facts(key, visit.look(key)) for key in keys))

    def _keys(self, request: CapabilityRequest) -> Value:
        prefix, after, most = _listing(request.args[0])
        granted(request.grants, prefix, "keys that begin with")

        def work(visit: Visit) -> Value:
            found = []
            visit.marks |= tables.absent(visit.db, request.tenant)
            for key, there, marks in tables.entries(visit.db, request.tenant, prefix, after):
                visit.marks |= marks
                if there:
                    found.append(key)
                if len(found) == most:
                    break
            return tuple(found)

        return self._looked(request, work)

    def _put(self, request: CapabilityRequest) -> Value:
        said = spread(request.args, "key", "value") or request.args
        if len(said) != 2:
            raise failed(
                'write (call :kv.put "key" value), or (call :kv.put {:key "key" :value value})', "ArityMismatch"
            )
        key, text = granted(request.grants, key_of(said[0])), text_of(said[1], self._own.most_value)
        return self._once(request, (key, text), lambda visit: visit.put(key, text))

    def _delete(self, request: CapabilityRequest) -> Value:
        key = granted(request.grants, key_of(request.args[0]))

        def work(visit: Visit) -> Value:
            there = visit.look(key).text is not None
            if there:
                visit.put(key, None)
            return there

        return self._once(request, (key,), work)

    def _add(self, request: CapabilityRequest) -> Value:
        key, more = granted(request.grants, key_of(request.args[0])), request.args[1]

        def work(visit: Visit) -> Value:
            before = _value(visit.look(key))
            if before is not None and (isinstance(before, bool) or not isinstance(before, int)):
                raise failed(f"what is under {key!r} is no integer; put one there first", "TypeError")
            total = (before or 0) + more
            if not -_LARGEST <= total <= _LARGEST:
                raise failed(f"what is under {key!r} would be beyond 64 bits")
            visit.put(key, write(total))
            return total

        return self._once(request, (key, write(more)), work)

    def _replace(self, request: CapabilityRequest) -> Value:
        key, most = granted(request.grants, key_of(request.args[0])), self._own.most_value
        old, new = (text_of(value, most) for value in request.args[1:])

        def work(visit: Visit) -> Value:
            same = _same(visit.look(key).text, old)
            if same:
                visit.put(key, new)
            return same

        return self._once(request, (key, old, new), work)

    def _transaction(self, request: CapabilityRequest) -> Value:
        steps = operations_of(request.args[0], self._own.most_value)
        for each in steps:
            granted(request.grants, each.key)
        said = tuple(part for each in steps for part in (each.word, each.key, each.text or "", str(each.version)))
        return self._once(request, said, lambda visit: _all_or_none(visit, steps))

    def _looked(self, request: CapabilityRequest, work: Work) -> Value:
        """Do what changes nothing, on the file as it is at one moment."""

        def within(db: sqlite3.Connection) -> Told:
            visit = Visit(db, request, self._own)
            return visit.done(work), visit.marks

        return _described(self._file.do(lambda db: in_transaction(db, within, "begin")))

    def _once(self, request: CapabilityRequest, said: tuple[str, ...], work: Work) -> Value:
        """Do what changes something, unless this very call did it before: then return what that returned."""
        parts = (request.id, request.tenant, request.key, *said)
        call = sha256("".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")).hexdigest()

        def within(db: sqlite3.Connection) -> Told:
            before = tables.replied(db, call) if request.key else None
            if before is not None:
                value, marks = read_value(before)
                see_that_carried(request, frozenset(marks))
                return value, frozenset(marks)
            visit = Visit(db, request, self._own)
            value = visit.done(work)
            if request.key:
                tables.reply(db, request.tenant, call, write((value, tuple(sorted(visit.marks)))))
            return value, visit.marks

        def changed(db: sqlite3.Connection) -> Told:
            db.execute(f"pragma synchronous = {self._own.sync}")
            return in_transaction(db, within)

        return _described(self._file.do(changed))

    def _entry(
        self, name: str, summary: str, handler: Callable[[CapabilityRequest], Value],
        takes: tuple[str, ...] | None, returns: str, *, changes: bool = False,
    ) -> CapabilityEntry:  # fmt: skip
        id_ = f"kv.{name}"
        return CapabilityEntry(
            id=id_,
            summary=summary,
            handler=handler,
            parameters=takes,
            returns=returns,
            effects=(":state-read", ":state-write") if changes else (":state-read",),
            idempotent=True,
            order_independent=not changes,
            blocking=True,
            isolable=True,
            aliases=ALIASES.get(id_, ()),
            grant=KvGrant,
        )


def _all_or_none(visit: Visit, steps: list[Operation]) -> Value:
    """Do the operations; where a version is not as expected, undo them and say which keys those are."""
    for each in steps:
        if each.word != "put" or each.version is not None:
            visit.look(each.key)  # whatever is kept depends on it
    visit.db.execute("savepoint operations")
    done = []
    for each in steps:
        kept = tables.look(visit.db, visit.request.tenant, each.key)
        if each.version is not None and each.version != _version(kept):
            visit.db.execute("rollback to operations")
            conflicts = [step.key for step in steps if _conflicts(visit, step)] or [each.key]
            return _answer(tuple(dict.fromkeys(conflicts)), ())
        done.append(_stepped(visit, each, kept))
    visit.db.execute("release operations")
    return _answer((), tuple(done))


def _stepped(visit: Visit, each: Operation, kept: Kept) -> Value:
    if each.word == "get":
        return visit.facts(each.key, kept)
    version = _version(kept)
    if each.word == "put":
        version = visit.put(each.key, each.text)
    elif each.word == "delete" and kept.text is not None:
        version = visit.put(each.key, None)
    return Map.of([(Keyword("key"), each.key), (Keyword("version"), version)])


def _conflicts(visit: Visit, each: Operation) -> bool:
    return each.version is not None and each.version != _version(visit.look(each.key))


def _answer(conflicts: tuple[str, ...], results: tuple[Value, ...]) -> Value:
    found = {"done": not conflicts, "conflicts": conflicts, "results": results}
    return Map.of((Keyword(name), value) for name, value in found.items())


def _version(kept: Kept) -> int:
    return 0 if kept.text is None else kept.version


def _value(kept: Kept) -> Value:
    return None if kept.text is None else read_value(kept.text)


def _same(there: str | None, expected: str) -> bool:
    """Tell whether what is there is equal to what is expected, nil where nothing is."""
    return there == expected or digest(None if there is None else read_value(there)) == digest(read_value(expected))


def _listing(argument: Value) -> tuple[str, str, int]:
    """Return the prefix, the key after which the list begins, and the number of keys at most."""
    said: dict[str, Any] = {"prefix": argument}
    if isinstance(argument, Map):
        said = {key.name: value for key, value in argument.items() if isinstance(key, Keyword)}
        if len(said) < len(argument) or not said.keys() <= {"prefix", "after", "most"}:
            raise failed("what to list is a text, or a map with :prefix, :after and :most, and nothing else")
    prefix, after, most = said.get("prefix", ""), said.get("after", ""), said.get("most", MOST_LISTED)
    prefix, after = (key_of(each) if each != "" else "" for each in (prefix, after))
    if isinstance(most, bool) or not isinstance(most, int) or not 0 < most <= MOST_LISTED:
        raise failed(f"the :most of a list must be within 1 and {MOST_LISTED:,}")
    return prefix, after, most


def see_that_carried(request: CapabilityRequest, marks: frozenset[str]) -> None:
    """Refuse what would tell of marked entries where nothing carries marks, whatever it is; raises CapabilityError."""
    if marks and not request.carries_marks:
        raise failed("it looks at marked entries, and nothing here carries marks; configure [labels]", _REFUSED)


def _described(told: Told) -> Value:
    value, marks = told
    return Described(value, marks=marks) if marks else value


def _unusable(why: str) -> Exception:
    message = f"the file of keys cannot be used: {why}; see that it is there, is not full and is this user's"
    return CapabilityError(message, "StorageError", failure=FailureKind.UNCERTAIN)
