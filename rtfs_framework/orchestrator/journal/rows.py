"""An entry's row, in two forms: all columns, or those that vary when a call is no model's and succeeds.

Most calls are such, and the other columns are constants then: what is hashed and what SQLite is told hold them, so
that nothing is made or bound for them. A form's hash is `chain.row_hash` of the whole row; it is compiled from the
columns of the table, for a row is hashed once per host call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import Any

import attrs

from rtfs_framework.orchestrator.journal.chain import canonical_json
from rtfs_framework.orchestrator.journal.schema import CHAINED, ENTRY_FIELDS, TABLES, insert
from rtfs_framework.orchestrator.journal.texts import Texts
from rtfs_framework.orchestrator.records import CallRecord

CONSTANTS: dict[str, Any] = {
    "record": None,
    "args": None,
    "decision": None,
    "decided_at": None,
    "input_tokens": 0,
    "output_tokens": 0,
    "cost": 0.0,
    "cache": "",
    "model": "",
    "explanation": "",
    "error_kind": "",
    "error": "",
}
"""Columns of the shorter form that do not vary."""

_TYPES = {
    name: (kind, bool(filled))
    for name, kind, filled in re.findall(
        r"(\w+) (TEXT|INTEGER|REAL)( NOT NULL)?", TABLES.split("CREATE TABLE entries")[1].split(";")[0]
    )
}
UNKNOWN_COST = -1.0
"""What stands for a cost that is not known, in a column that cannot be empty."""
_DIGESTS = frozenset({"args_digest", "reply_digest"})
"""Our own hexadecimal digits (or nothing): texts that need no escapes. The parent's hash is one too."""
_JSON = {"TEXT": "text({})", "INTEGER": "{}", "REAL": "real({})"}


@attrs.frozen(slots=True, eq=False)
class Form:
    """One form: its columns (without parent and hash), the statement that adds a row, and how its row is hashed."""

    columns: tuple[str, ...]
    insert: str
    hash: Callable[[tuple[Any, ...], str], str]
    """Of the values of the columns, which are of their types, and the parent's hash."""


def _form(constants: Mapping[str, Any]) -> Form:
    columns = tuple(name for name in ENTRY_FIELDS if name not in constants)
    literals = {name: "NULL" if value is None else repr(value) for name, value in constants.items()}
    statement = insert("entries", ENTRY_FIELDS + CHAINED, or_ignore=True, literals=literals)
    return Form(columns, statement, _hasher(columns, constants))


def _hasher(columns: tuple[str, ...], constants: Mapping[str, Any]) -> Callable[[tuple[Any, ...], str], str]:
    """Compile the hash of a row; a branch is in what is hashed where there is one (see `schema`)."""
    pairs = [f'["{name}",{_shown(name, constants)}]' for name in ENTRY_FIELDS if name != "branch"]
    within = """f',["branch",{text(branch)}]' if branch else ''"""
    source = (
        f"def hash(values, parent):\n    {', '.join(columns)} = values\n    within = {within}\n"
        f'    made = f\'["entries",[{",".join(pairs)}{{within}}],"{{parent}}"]\'\n'
        f"    return sha256(made.encode()).hexdigest()\n"
    )
    names: dict[str, Any] = {"sha256": sha256, "text": encode_basestring_ascii, "real": _real}
    exec(source, names)  # noqa: S102 - the text is made of the names of the columns
    made: Callable[[tuple[Any, ...], str], str] = names["hash"]
    return made


def _real(value: float) -> str:
    return repr(value) if value.__class__ is float and isfinite(value) else canonical_json(value)


def _shown(name: str, constants: Mapping[str, Any]) -> str:
    """Return a column's place in the text that is hashed."""
    if name in constants:
        return canonical_json(constants[name])
    if name in _DIGESTS:
        return f'"{{{name}}}"'
    kind, filled = _TYPES[name]
    value = _JSON[kind].format(name)
    return f"{{{value}}}" if filled else f'{{"null" if {name} is None else {value}}}'


WHOLE = _form({})
USUAL = _form(CONSTANTS)


def is_usual(record: CallRecord) -> bool:
    """Tell whether the shorter form says all of a record."""
    return (
        record.decision is None
        and record.record is None
        and record.args_text is None
        and not (record.error_kind or record.error)
        and not (record.model or record.explanation or record.cache)
        and not (record.input_tokens or record.output_tokens or record.cost != 0)
    )


def usual_values(record: CallRecord, run: str, seq: int, texts: Texts) -> tuple[Any, ...]:
    """Return the values of the shorter form's columns."""
    return (
        run,
        seq,
        record.index,
        record.kind,
        texts.symbol(record.symbol),
        None if record.place is None else texts.place(record.place),
        record.args_digest,
        record.target,
        record.reply_digest,
        int(record.seconds * 1_000_000 + 0.5),
        _within(record),
    )


def whole_values(record: CallRecord, run: str, seq: int, texts: Texts, *, keep_args: bool) -> tuple[Any, ...]:
    """Return the values of all columns."""
    decision = record.decision
    return (
        run,
        seq,
        record.index,
        record.record,
        record.kind,
        texts.symbol(record.symbol),
        None if record.place is None else texts.place(record.place),
        record.args_digest,
        texts.blot(record.args_text) if keep_args and record.args_text is not None else None,
        texts.decision(decision) if decision else None,
        decision.plan.created_at if decision else None,
        record.target,
        record.reply_digest,
        int(record.seconds * 1_000_000 + 0.5),
        record.input_tokens,
        record.output_tokens,
        UNKNOWN_COST if record.cost is None else float(record.cost),
        record.cache,
        record.model,
        texts.blot(record.explanation),
        record.error_kind,
        texts.blot(record.error),
        _within(record),
    )


def _within(record: CallRecord) -> str:
    return ".".join(map(str, record.branch)) if record.branch else ""
