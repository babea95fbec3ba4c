"""Rule files: found, read and checked. Every mistake is a diagnostic with file, line, column and a way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rtfs_framework.api import ConfigError, KeyPath, Places, load_toml, read_toml, structure
from rtfs_provider_rules.classify import Classifier
from rtfs_provider_rules.patterns import BadPattern, compiled, word_regex
from rtfs_provider_rules.plugin import SHIPPED
from rtfs_provider_rules.schema import ClassifyFile, ConditionTable, TemplateFile
from rtfs_provider_rules.template import PLACEHOLDER, Template

Rules = Classifier | Template
_KINDS: dict[str, type[Any]] = {"classify": ClassifyFile, "template": TemplateFile}
_SYNTAX = "expressions are RE2's: no look-around, no back-references"


def rules_path(name: str, directory: str | None) -> Path:
    """Return the path of a rule file: a shipped one by its bare name, any other from the configuration's folder."""
    if name in SHIPPED:
        return Path(__file__).parent / "files" / f"{name}.toml"
    return Path(directory or ".", Path(name).expanduser() if name.startswith("~") else name)


def load_rules(path: Path) -> tuple[Rules, str]:
    """Return the rules of a file, and its text.

    Raises:
        ConfigError: With a diagnostic for each mistake.
    """
    data, places = read_toml(path)
    return _rules(data, places), places.source.text


def parse_rules(text: str, name: str) -> Rules:
    """Return the rules of a text; `name` is what reports call it.

    Raises:
        ConfigError: With a diagnostic for each mistake.
    """
    return _rules(*load_toml(text, name))


def _rules(data: dict[str, Any], places: Places) -> Rules:
    kind = data.get("kind")
    if kind not in _KINDS:
        known = " or ".join(f'kind = "{each}"' for each in _KINDS)
        message = "the key 'kind' is missing" if kind is None else f"a rule file cannot be of kind {kind!r}"
        raise places.error("E0704" if kind is None else "E0705", message, ("kind",), f"write {known}")
    file = structure(_KINDS[kind], data, places)
    mistakes = [
        diagnostic
        for mistake in (_classify(file, places) if isinstance(file, ClassifyFile) else _template(file, places))
        for diagnostic in mistake.diagnostics
    ]
    if mistakes:
        raise ConfigError(mistakes)
    try:
        return Classifier(file) if isinstance(file, ClassifyFile) else Template(file)
    except BadPattern as error:
        raise places.error("E0705", str(error), (), "use fewer or simpler patterns") from error


def _classify(file: ClassifyFile, places: Places) -> Iterator[ConfigError]:
    if file.lexicon is not None:
        for key in ("positive", "negative"):
            yield from _known(getattr(file.lexicon, key), [*file.labels], "label", places, ("lexicon", key))
    for label, table in file.labels.items():
        for number, pattern in enumerate(table.patterns):
            path: KeyPath = ("labels", label, "patterns", number)
            if not pattern.words and pattern.regex is None:
                yield places.error(
                    "E0704", "a pattern without words or regex finds nothing", path, 'add words = ["..."]'
                )
            if pattern.regex is not None and pattern.negated is not None:
                message = "'negated' is about words; an expression can say itself what must not stand before"
                yield places.error("E0705", message, (*path, "negated"), "give the regex a pattern of its own")
            yield from _patterns(pattern.words, pattern.regex, places, path)


def _template(file: TemplateFile, places: Places) -> Iterator[ConfigError]:
    names = [*file.arguments, *file.captures]
    for name, capture in file.captures.items():
        yield from _known(capture.argument, file.arguments, "argument", places, ("captures", name, "argument"))
        yield from _patterns((), capture.regex, places, ("captures", name))
    for number, reply in enumerate(file.replies):
        path: KeyPath = ("replies", number)
        for name in PLACEHOLDER.findall(reply.text):
            yield from _known(name, names, "argument or capture", places, (*path, "text"))
        for name, wanted in reply.when.items():
            yield from _known(name, file.arguments, "argument", places, (*path, "when", name))
            if isinstance(wanted, ConditionTable):
                yield from _patterns(wanted.words, wanted.regex, places, (*path, "when", name))
    last = file.replies[-1]
    if last.when or PLACEHOLDER.search(last.text):
        message = "the last reply must fit anything, but it has conditions or placeholders"
        yield places.error("E0705", message, ("replies", len(file.replies) - 1), 'end with [[replies]] text = "..."')


def _known(name: str, known: Any, what: str, places: Places, path: KeyPath) -> Iterator[ConfigError]:
    if name not in known:
        near = get_close_matches(name, list(known), n=1, cutoff=0.6)
        way_out = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
        yield places.error("E0706", f"there is no {what} '{name}'", path, way_out)


def _patterns(words: tuple[str, ...], regex: str | None, places: Places, path: KeyPath) -> Iterator[ConfigError]:
    for number, word in enumerate(words):
        yield from _usable(word, word_regex, places, (*path, "words", number))
    if regex is not None:
        yield from _usable(regex, str, places, (*path, "regex"))


def _usable(text: str, regex_of: Callable[[str], str], places: Places, path: KeyPath) -> Iterator[ConfigError]:
    try:
        compiled(regex_of(text))
    except BadPattern as error:
        yield places.error("E0705", f"bad pattern: {error}", path, _SYNTAX)
