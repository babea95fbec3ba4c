"""The parser's tables: made by lark from `grammar.lark` at build time, kept as plain data in `tables.json`.

A start then reads 5 kB instead of analysing a grammar, and there is no pickle of lark's in a folder that others may
write. The rules that lark's loop is given here are compared by identity: its own compute a hash for each reduction.
`docs/generate.py` writes the file; a test sees that it is current.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark.parsers.lalr_analysis import IntParseTable, Reduce, Shift
from lark.parsers.lalr_parser import _Parser

from rtfs_framework.lang.reader.builder import Builder

START = "start"
_HERE = Path(__file__).parent


class _Symbol:
    """What a rule makes."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Rule:
    """A rule as lark's loop sees it: what it makes, of how many parts, by which action."""

    __slots__ = ("action", "expansion", "origin")

    def __init__(self, origin: str, size: int, action: str | None) -> None:
        self.origin = _Symbol(origin)
        self.expansion = range(size)
        self.action = action


@lru_cache(maxsize=1)
def parser() -> Any:
    """Return lark's parser with our tables and actions."""
    data = json.loads((_HERE / "tables.json").read_text(encoding="utf-8"))
    rules = [_Rule(*row) for row in data["rules"]]
    states = {
        number: {name: (Shift, move) if move >= 0 else (Reduce, rules[-1 - move]) for name, move in moves.items()}
        for number, moves in enumerate(data["states"])
    }
    builder = Builder()
    actions = {rule: getattr(builder, rule.action or "only") for rule in rules}
    made: Any = IntParseTable
    lark_parser: Any = _Parser
    return lark_parser(made(states, {START: data["start"]}, {START: data["end"]}), actions)


def build() -> str:
    """Return what `tables.json` must hold."""
    from lark import Lark

    grammar = (_HERE / "grammar.lark").read_text(encoding="utf-8")
    options: dict[str, Any] = {"parser": "lalr", "lexer": "basic", "maybe_placeholders": False}
    table: Any = Lark(grammar, **options).parser.parser._parse_table
    rules: dict[Any, int] = {}
    numbers = _numbered(table)
    states = [dict(_moves(table.states[state], rules, numbers)) for state in numbers]
    rows = [[str(rule.origin.name), len(rule.expansion), rule.alias] for rule in rules]
    ends = {"start": numbers[table.start_states[START]], "end": numbers[table.end_states[START]]}
    return _lines(ends, rows, states)


def _lines(ends: dict[str, int], rows: list[Any], states: list[Any]) -> str:
    """Return the tables as JSON, a rule or state per line."""
    start, end = ends["start"], ends["end"]
    parts = [",\n  ".join(map(json.dumps, part)) for part in (rows, states)]
    return (
        f'{{\n "start": {start},\n "end": {end},\n "rules": [\n  {parts[0]}\n ],\n "states": [\n  {parts[1]}\n ]\n}}\n'
    )


def _numbered(table: Any) -> dict[Any, int]:
    """Return the states in the order in which they are reached: lark's own order is not the same every time."""
    numbers = {table.start_states[START]: 0}
    todo = [*numbers]
    while todo:
        for _, (action, argument) in sorted(table.states[todo.pop(0)].items()):
            if action is Shift and argument not in numbers:
                numbers[argument] = len(numbers)
                todo.append(argument)
    return numbers


def _moves(moves: dict[str, Any], rules: dict[Any, int], numbers: dict[Any, int]) -> Iterator[tuple[str, int]]:
    """Yield each symbol's move: the state that it shifts to, or -1 minus the number of the rule that it reduces."""
    for name, (action, argument) in sorted(moves.items()):
        yield str(name), -1 - rules.setdefault(argument, len(rules)) if action is Reduce else numbers[argument]
