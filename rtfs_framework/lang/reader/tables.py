"""The parser: its tables are made by lark from `grammar.lark` at build time, and kept as plain data in `tables.json`.

A start then reads 5 kB instead of analysing a grammar, and lark, which takes as long to import as four starts of
Python, is not imported. `docs/generate.py` writes the file; tests see that it is current, and that lark's own parser
makes the same of programs.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from itertools import chain

from rtfs_framework.lang.annotations import Any, Iterable, Iterator
from rtfs_framework.lang.reader.builder import Builder
from rtfs_framework.lang.reader.reading import Token

START = "start"
_HERE = os.path.dirname(__file__)  # noqa: PTH120 - `pathlib` takes long to import
_END = "$END"


class Unexpected(Exception):
    """No rule goes on with this token; None is the end of the text."""

    def __init__(self, token: Token | None) -> None:
        self.token = token


@lru_cache(maxsize=1)
def tables() -> Any:
    """Return the moves of each state, the rules (how many parts, what is made, by which action), the first and last."""
    data = json.loads(_text("tables.json"))
    builder = Builder()
    rules = [(size, made, getattr(builder, action or "only")) for made, size, action in data["rules"]]
    return data["states"], rules, data["start"], data["end"]


def parse(tokens: Iterable[Token]) -> Any:
    """Return what the actions make of tokens: the LALR(1) loop (Aho, Lam, Sethi, Ullman: Compilers, 4.5.3).

    Raises:
        Unexpected: The tokens are no program.
        LanguageError: An action refuses its parts.
    """
    states, rules, start, end = tables()
    reached, values = [start], []
    token: Token | None
    for token in chain(tokens, (None,)):
        kind = _END if token is None else token.type
        while True:
            move = states[reached[-1]].get(kind)
            if move is None:
                raise Unexpected(token)
            if move >= 0:
                reached.append(move)
                values.append(token)
                break
            size, made, action = rules[-1 - move]
            kept = len(values) - size
            parts = values[kept:]
            del values[kept:], reached[kept + 1 :]
            values.append(action(parts))
            reached.append(states[reached[-1]][made])
            if token is None and reached[-1] == end:
                break
    return values[-1]


def _text(name: str) -> str:
    with open(os.path.join(_HERE, name), encoding="utf-8") as file:  # noqa: PTH118, PTH123 - no `pathlib`
        return file.read()


def build() -> str:
    """Return what `tables.json` must hold."""
    from lark import Lark

    options: dict[str, Any] = {"parser": "lalr", "lexer": "basic", "maybe_placeholders": False}
    table: Any = Lark(_text("grammar.lark"), **options).parser.parser._parse_table
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
    from lark.parsers.lalr_analysis import Shift

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
    from lark.parsers.lalr_analysis import Reduce

    for name, (action, argument) in sorted(moves.items()):
        yield str(name), -1 - rules.setdefault(argument, len(rules)) if action is Reduce else numbers[argument]
