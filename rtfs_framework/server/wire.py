"""Requests to run a program, as they come: JSON of the protocol (docs/serve.md), checked field by field."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import attrs

from rtfs_framework.api.caller import MOST_FACTS, MOST_TEXT
from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.config.security import Reach, SecurityLevel
from rtfs_framework.orchestrator.running.narrowing import NO_NARROWING, Narrowing
from rtfs_framework.server.problems import malformed
from rtfs_framework.server.values import read_args

PROTOCOL = "1"
MOST_KEY = 200
MOST_VIA = 64
_MOST_NAMES = 1_000
"""Labels, grants or denials of a request: each costs time when rules are made of them."""
_MOST_NUMBER = 1e15
"""Nothing that is counted here comes near it; more is the same as this."""
_KEPT_TEXT = 1 << 14
"""Characters of a text whose digest is kept."""
_FIELDS = frozenset({"program", "entry", "args", "context", "deadline", "budget", "hops", "via", "key", "caller"})
_SIMPLE = frozenset({"program", "entry", "args", "deadline"})
"""Those of a request that somebody makes by themselves."""
_CONTEXT = frozenset({"labels", "grant", "deny", "reach", "level", "agent", "environment", "constraints"})


@attrs.frozen(slots=True, kw_only=True)
class Budget:
    """What a request may use at most; None for no bound of its own."""

    money: float | None = None
    tokens: int | None = None
    calls: int | None = None


@attrs.frozen(slots=True, kw_only=True)
class RunRequest:
    """One run that is asked for."""

    program: Source
    digest: str
    """SHA-256 of the program's text."""
    entry: str | None = None
    args: tuple[Any, ...] = ()
    written: str = "[]"
    """The arguments as they came."""
    rules: Narrowing = NO_NARROWING
    """What the caller's rules allow."""
    marks: Label = PUBLIC
    """Those of all that comes with it."""
    deadline: float | None = None
    """Seconds that are left."""
    budget: Budget | None = None
    hops: int | None = None
    via: tuple[str, ...] = ()
    key: str = ""
    caller: Mapping[str, str] = attrs.field(factory=dict)
    """The run, head and call of who asks, for the log."""


def check_protocol(version: str | None) -> None:
    """Refuse a request of another version of the protocol.

    Raises:
        Problem: It is.
    """
    if version not in (None, PROTOCOL):
        raise malformed(f"this host speaks version {PROTOCOL} of the protocol, and the request is of {version:.20}")


def read_run(body: bytes) -> RunRequest:
    """Return what a body asks for.

    Raises:
        Problem: 400, it is not as the protocol says.
    """
    table = _table(_json(body), "the body")
    _check_characters(table, body)
    _known(table, _FIELDS, "")
    program, digest = _program(table.get("program"))
    args = _text(table, "args", "[]") or "[]"
    return RunRequest(
        program=program,
        digest=digest,
        entry=_text(table, "entry", None),
        args=read_args(args),
        written=args,
        deadline=_number(table, "deadline"),
        **({} if table.keys() <= _SIMPLE else _further(table)),
    )


def _further(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what comes along with a request of another host: rules, marks, budget, its way, its key, its asker."""
    via = table.get("via") or ()
    if not isinstance(via, list | tuple) or len(via) > MOST_VIA or not all(isinstance(each, str) for each in via):
        raise malformed(f"'via' must be a list of at most {MOST_VIA} ids of hosts")
    key = _text(table, "key", "") or ""
    if len(key) > MOST_KEY:
        raise malformed(f"'key' has more than {MOST_KEY} characters")
    context = _table(table.get("context") or {}, "'context'")
    _known(context, _CONTEXT, "context.")
    return {
        "rules": _rules(context) if context else NO_NARROWING,
        "marks": frozenset(_texts(context, "labels") or ()),
        "budget": None if table.get("budget") is None else _budget(_table(table["budget"], "'budget'")),
        "hops": _whole(table, "hops"),
        "via": tuple(via),
        "key": key,
        "caller": _facts(table, "caller"),
    }


def _json(body: bytes) -> Any:
    try:
        return _DECODER.decode(body.decode())
    except RecursionError:
        raise malformed("the body is nested too deeply") from None
    except ValueError as error:  # UnicodeDecodeError is one
        raise malformed(f"the body is no JSON: {error}") from None


def _check_characters(table: Any, body: bytes) -> None:
    """Refuse halves of surrogate pairs: no file, no header and no answer can hold one. Only escapes can bring them."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return
    try:
        json.dumps(table, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        raise malformed("the body holds half of a surrogate pair, which is no character") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _table(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise malformed(f"{what} must be a JSON object")
    return value


def _known(table: Mapping[str, Any], fields: frozenset[str], where: str) -> None:
    others = table.keys() - fields
    if others:
        name = f"{where}{min(others)}"
        raise malformed(f"'{name:.60}' is no field of a request", f"known: {', '.join(sorted(fields))}")


def _program(value: Any) -> tuple[Source, str]:
    table = _table(value, "'program'")
    _known(table, frozenset({"name", "source", "sha256"}), "program.")
    text, name = table.get("source"), table.get("name", "<request>")
    if not isinstance(text, str):
        raise malformed("'program.source' must be the program's text")
    if not isinstance(name, str) or len(name) > MOST_TEXT:
        raise malformed("'program.name' must be a text")
    source, digest = _known_program(name, text) if len(text) <= _KEPT_TEXT else _named_program(name, text)
    given = table.get("sha256")
    if given is not None and given != digest:
        raise malformed("'program.sha256' is not the digest of 'program.source'", "the program was changed on its way")
    return source, digest


def _named_program(name: str, text: str) -> tuple[Source, str]:
    return Source(name, text), hashlib.sha256(text.encode()).hexdigest()


_known_program = lru_cache(maxsize=256)(_named_program)
"""The same programs come again and again: their digests are known."""


def _text(table: Mapping[str, Any], name: str, usual: str | None) -> str | None:
    value = table.get(name, usual)
    if value is not None and not isinstance(value, str):
        raise malformed(f"'{name}' must be a text")
    return value


def _number(table: Mapping[str, Any], name: str) -> float | None:
    value = table.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise malformed(f"'{name}' must be a number of at least 0")
    return float(min(value, _MOST_NUMBER))  # an integer may be more than any float


def _whole(table: Mapping[str, Any], name: str) -> int | None:
    value = table.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53):
        raise malformed(f"'{name}' must be a whole number of at least 0")
    return value


def _texts(table: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    value = table.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise malformed(f"'context.{name}' must be a list of texts")
    if len(value) > _MOST_NAMES or any(len(each) > MOST_TEXT for each in value):
        raise malformed(f"'context.{name}' may hold {_MOST_NAMES:,} texts of {MOST_TEXT:,} characters each")
    return tuple(value)


def _facts(table: Mapping[str, Any], name: str) -> dict[str, str]:
    value = table.get(name) or {}
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise malformed(f"'{name}' must map names to texts")
    if len(value) > MOST_FACTS or any(len(each) > MOST_TEXT for fact in value.items() for each in fact):
        raise malformed(f"'{name}' may hold {MOST_FACTS} facts of {MOST_TEXT:,} characters each")
    return value


def _budget(table: dict[str, Any]) -> Budget:
    _known(table, frozenset({"money", "tokens", "calls"}), "budget.")
    return Budget(money=_number(table, "money"), tokens=_whole(table, "tokens"), calls=_whole(table, "calls"))


def _rules(table: dict[str, Any]) -> Narrowing:
    return Narrowing(
        grant=_texts(table, "grant"),
        deny=_texts(table, "deny") or (),
        reach=_one_of(table, "reach", Reach),
        level=_one_of(table, "level", SecurityLevel),
        agent=_text(table, "agent", "") or "",
        environment=tuple(sorted(_facts(table, "environment").items())),
        constraints=tuple(sorted(_facts(table, "constraints").items())),
    )


def _one_of(table: Mapping[str, Any], name: str, kind: Any) -> Any:
    value = table.get(name)
    if value is None:
        return None
    known = [each.value for each in kind]
    if value not in known:
        raise malformed(f"'context.{name}' must be one of {', '.join(known)}")
    return kind(value)
