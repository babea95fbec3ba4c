"""Rules of kind "template": arguments in, one line of text out.

The first reply whose conditions all hold and whose placeholders all have a value is the answer. Placeholders are
replaced as plain text, once: what is inserted is never read as a template, so no message can reach into one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import attrs

from rtfs_provider_rules.patterns import PatternSet, compiled, prepared, tokens, word_regex
from rtfs_provider_rules.schema import ConditionTable, ReplyTable, TemplateFile

PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w-]*)\}")


@attrs.frozen(slots=True)
class Draft:
    """A filled reply, and which it was."""

    text: str
    why: str


@attrs.frozen(slots=True)
class _Reply:
    number: int
    text: str
    conditions: tuple[tuple[str, Callable[[str], bool]], ...]
    names: frozenset[str]


class Template:
    """Compiled rules; `fill` is a pure function of the arguments' texts."""

    def __init__(self, file: TemplateFile) -> None:
        self.file = file
        self._captures = {name: (table.argument, compiled(table.regex)) for name, table in file.captures.items()}
        self._replies = [_reply(number, table) for number, table in enumerate(file.replies, 1)]

    def fingerprint(self) -> str:
        """Return what answers depend on besides the rule file: nothing."""
        return ""

    def fill(self, arguments: Mapping[str, str]) -> Draft:
        """Return the first reply that fits; the last one of a file always does."""
        texts = {name: text[: self.file.max_characters] for name, text in arguments.items()}
        values = {name: _line(text, self.file.max_inserted) for name, text in texts.items()}
        for name, (argument, regex) in self._captures.items():
            found = regex.search(prepared(texts[argument]))
            if found is not None:
                piece = found.group(1) if regex.groups else None
                values[name] = _line(piece or found.group(0), self.file.max_inserted)
        for reply in self._replies:
            if all(values.get(name) for name in reply.names) and all(holds(texts[n]) for n, holds in reply.conditions):
                return Draft(PLACEHOLDER.sub(lambda name: values[name[1]], reply.text), _why(reply))
        raise LookupError("no reply fits")


def _why(reply: _Reply) -> str:
    names = [name for name, _ in reply.conditions]
    return f"reply {reply.number}, by {', '.join(names)}" if names else f"reply {reply.number}, which fits anything"


def _line(text: str, most: int) -> str:
    """Return a text as one line, cut to a length."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def _reply(number: int, table: ReplyTable) -> _Reply:
    conditions = tuple((name, condition(wanted)) for name, wanted in table.when.items())
    return _Reply(number, table.text, conditions, frozenset(PLACEHOLDER.findall(table.text)))


def condition(wanted: str | tuple[str, ...] | ConditionTable) -> Callable[[str], bool]:
    """Return the test of one argument's text.

    Raises:
        BadPattern: A word or expression cannot be used.
    """
    if isinstance(wanted, ConditionTable):
        words = PatternSet([word_regex(word) for word in wanted.words])
        regexes = PatternSet([] if wanted.regex is None else [wanted.regex])
        return lambda text: bool(words.match(tokens(prepared(text))) or regexes.match(prepared(text)))
    choices = {wanted.casefold()} if isinstance(wanted, str) else {choice.casefold() for choice in wanted}
    return lambda text: text.strip().casefold() in choices
