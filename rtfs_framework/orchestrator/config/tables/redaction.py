"""`[redaction.NAME]`: what is taken out of a request before it is sent, and which marks that frees.

A rule finds by patterns, in the language of `re-find` and in linear time, or by a recognizer of a plug-in. Engines name
rules in their plans (`DelegationPlan.transform`); a name that no rule bears is a mistake of the configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.diagnostics import did_you_mean

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.own import Reading
    from rtfs_framework.registry.catalog import Catalog

_WITH = "with"
"""A word of Python, so no field can have its name."""
_LONGEST = 200
"""Characters of what stands in the place of a match."""


@attrs.frozen(slots=True, kw_only=True)
class RedactionTable:
    """The keys of `[redaction.NAME]`, besides `with`."""

    pattern: str | Sequence[str] = ()
    """Regular expressions: what they find is taken out."""
    recognizer: str | None = None
    """A finder of a plug-in, such as `email`, beside or instead of patterns."""
    marks: Sequence[str] = ()
    """The marks that a request is free of once the rule was applied."""


@attrs.frozen(slots=True, kw_only=True)
class RedactionSpec:
    """A rule."""

    name: str
    patterns: tuple[str, ...] = ()
    recognizer: str = ""
    """The name under which a plug-in offers it, "" for none."""
    fingerprint: str = ""
    """Of the recognizer: another version finds other things."""
    replacement: str
    marks: frozenset[str] = frozenset()
    """The marks that a request is free of once the rule was applied."""


Rules = Mapping[str, RedactionSpec]


def freed_by(rules: Rules, names: Iterable[str]) -> frozenset[str]:
    """Return the marks that some rules free together; a rule that is not there frees none."""
    found = (rules[name].marks for name in names if name in rules)
    return frozenset(mark for marks in found for mark in marks)


def unknown_rule(name: str, rules: Iterable[str]) -> tuple[str, str]:
    """Return what is wrong with a name that no rule bears, and the way out."""
    known = sorted(rules)
    way_out = did_you_mean(name, known)
    if not way_out:
        way_out = f"known: {', '.join(known)}" if known else f"add [redaction.{name}] with pattern = ..."
    return f"no redaction rule is called '{name}'", way_out


@attrs.frozen(slots=True)
class RedactionTables:
    """Reads `[redaction]`; mistakes are noted in `reading`."""

    reading: Reading
    catalog: Catalog

    def rules(self, tables: Mapping[str, Mapping[str, Any]]) -> dict[str, RedactionSpec]:
        """Return the rules by their names."""
        found = {name: self._rule(name, table) for name, table in tables.items()}
        return {name: spec for name, spec in found.items() if spec is not None}

    def _rule(self, name: str, table: Mapping[str, Any]) -> RedactionSpec | None:
        from rtfs_framework.orchestrator.config.own import key_names

        path: KeyPath = ("redaction", name)
        known, before = [*key_names(RedactionTable), _WITH], len(self.reading.mistakes)
        for key in table:
            if key not in known:
                way_out = did_you_mean(key, known) or f"known keys: {', '.join(known)}"
                self.reading.mistake("E0702", f"unknown key '{key}'", (*path, key), way_out, key=True)
        ours = {key: value for key, value in table.items() if key in known and key != _WITH}
        read = self.reading.structure(RedactionTable, ours, path)
        replacement = self._replacement(name, table.get(_WITH), path)
        if read is None or replacement is None or len(self.reading.mistakes) > before:
            return None
        one = isinstance(read.pattern, str)
        patterns = (read.pattern,) if isinstance(read.pattern, str) else tuple(read.pattern)
        if not patterns and read.recognizer is None:
            way_out = "add pattern = ..., or recognizer = ..."
            self.reading.mistake("E0704", f"the rule '{name}' finds nothing", path, way_out, key=True)
            return None
        sound = [
            self._is_sound(text, (*path, "pattern") if one else (*path, "pattern", place))
            for place, text in enumerate(patterns)
        ]
        sound += [self._is_mark(mark, (*path, "marks", place)) for place, mark in enumerate(read.marks)]
        fingerprint = "" if read.recognizer is None else self._fingerprint(read.recognizer, (*path, "recognizer"))
        if fingerprint is None or not all(sound):
            return None
        return RedactionSpec(
            name=name,
            patterns=patterns,
            recognizer=read.recognizer or "",
            fingerprint=fingerprint,
            replacement=replacement,
            marks=frozenset(map(_bare, read.marks)),
        )

    def _replacement(self, name: str, said: Any, path: KeyPath) -> str | None:
        if said is None:
            return f"[{name}]"
        if isinstance(said, str) and len(said) <= _LONGEST:
            return said
        wrong = f"'{_WITH}' must be a text of at most {_LONGEST} characters"
        self.reading.mistake("E0703", wrong, (*path, _WITH), f'such as "[{name}]"')
        return None

    def _is_sound(self, text: str, path: KeyPath) -> bool:
        """Tell whether this is a pattern that takes something out."""
        from rtfs_framework.lang.pattern import BadPattern, compile_pattern

        try:
            empty = compile_pattern(text).search(b"") is not None
        except BadPattern as error:
            way_out = "patterns are those of `re-find`; write them as a literal text, in single quotes"
            self.reading.mistake("E0705", f"this is no pattern: {error}", path, way_out)
            return False
        if empty:
            self.reading.mistake("E0705", "the pattern fits the empty text", path, "say what must be there")
        return not empty

    def _is_mark(self, text: str, path: KeyPath) -> bool:
        bare = _bare(text)
        if bare and all(char.isalnum() or char in "-_./" for char in bare):
            return True
        self.reading.mistake("E0705", f"'{text}' is no mark", path, 'a word such as "pii"')
        return False

    def _fingerprint(self, name: str, path: KeyPath) -> str | None:
        from rtfs_framework.orchestrator.config.recognizing import NotHereError, recognizer_of

        try:
            return recognizer_of(self.catalog, name).fingerprint
        except NotHereError as error:
            self.reading.mistake("E0706", error.problem, path, error.way_out)
            return None


def _bare(mark: str) -> str:
    return mark.removeprefix(":")
