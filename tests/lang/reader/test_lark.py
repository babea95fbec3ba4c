"""The parser makes the same of every text as lark's own parser of the same grammar, and refuses the same token."""

from __future__ import annotations

from pathlib import Path

import pytest
from lark import Lark
from lark.exceptions import UnexpectedInput
from lark.parsers.lalr_parser import _Parser

from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.meter import NESTING
from rtfs_framework.lang.reader import tables
from rtfs_framework.lang.reader.builder import Builder
from rtfs_framework.lang.reader.comments import blank_comments
from rtfs_framework.lang.reader.lexer import TooDeep, tokens
from rtfs_framework.lang.reader.reading import Reading, Token
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.stack import room_for_recursion
from rtfs_framework.testing.cases.model import read_cases

ROOT = Path(__file__).parents[3]
GRAMMAR = Path(tables.__file__).with_name("grammar.lark").read_text(encoding="utf-8")


def texts():
    """Return the text of every program of the conformance cases and the examples."""
    cases = [case for path in sorted((ROOT / "tests" / "conformance").glob("*.toml")) for case in read_cases([path])]
    examples = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").rglob("*.rtfs"))]
    return [*dict.fromkeys([*(case.source for case in cases), *examples])]


@pytest.fixture(scope="module")
def lark():
    """Return lark's parser with our actions: tokens to what they make."""
    table = Lark(GRAMMAR, parser="lalr", lexer="basic", maybe_placeholders=False).parser.parser._parse_table
    rules = {move[1] for state in table.states.values() for move in state.values() if hasattr(move[1], "expansion")}
    builder = Builder()
    parser = _Parser(table, {rule: getattr(builder, rule.alias or "only") for rule in rules})

    class Lexer:
        def __init__(self, made):
            self.made = made

        def lex(self, _state):
            return self.made

    def parse(made):
        try:
            return parser.parse(Lexer(made), tables.START)
        except UnexpectedInput as error:
            token = error.token if isinstance(error.token, Token) else None
            raise tables.Unexpected(token) from None

    with pytest.MonkeyPatch.context() as patch:
        for name in ("start_pos", "line", "column", "end_line", "end_column", "end_pos"):
            patch.setattr(Token, name, None, raising=False)  # lark copies these into its end token
        yield parse


@room_for_recursion()  # some programs are nested deeper than Python's usual bound lets be shown
def outcome(parse, text, change):
    """Return what a parser makes of a text, as a text: forms with their spans, or the place that is refused."""
    source = Source("p", text)
    try:
        made = change(tokens(blank_comments(source), Reading(source, 0, NESTING)))
    except (LanguageError, TooDeep):
        return None
    try:
        return repr(parse(made))
    except tables.Unexpected as error:
        return f"unexpected {None if error.token is None else (error.token.type, error.token.start)}"
    except LanguageError as error:
        return f"refused {error}"


def test_programs_are_parsed_as_lark_does(lark):
    found = [(outcome(tables.parse, text, list), outcome(lark, text, list)) for text in texts()]
    assert len(found) > 1_000
    assert [each for each in found if each[0] != each[1]] == []
    assert sum(ours is not None and ours.startswith("[") for ours, _ in found) > 1_000


@pytest.mark.parametrize(
    "text", ["(a [b {:c 'd}]) ^:pure x", "#{1 (f (g))} `(a ~b ~@(c)) #(+ % (h (i)))", "^{:a (b)} (c)"]
)
def test_what_is_no_program_is_refused_at_the_same_token(lark, text):
    whole = tokens(text, Reading(Source("p", text), 0, NESTING))
    for at in range(len(whole)):
        for change in (
            lambda made, at=at: made[:at],
            lambda made, at=at: made[:at] + made[at + 1 :],
            lambda made, at=at: [*made[: at + 1], *made[at:]],
            lambda made, at=at: [*made[:at], made[-1], made[at], *made[at + 1 : -1]],
        ):
            ours = outcome(tables.parse, text, change)
            assert ours is not None
            assert ours == outcome(lark, text, change)
