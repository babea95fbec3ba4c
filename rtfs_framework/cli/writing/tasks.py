"""Tasks with expected results: what `rtfs bench write` puts to a model.

In: TOML (`[[task]]`) or JSON Lines. Out: `Task` records. A mistake names the task and the key.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.cli.problems import USAGE, InputError, cannot_read, problem, require_file
from rtfs_framework.cli.writing.examples import BadExample, Example
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.reader.comments import blank_comments
from rtfs_framework.lang.reader.lexer import words
from rtfs_framework.lang.source import Source

BAD_TASKS = "E0986"
_KEYS = frozenset({"id", "kind", "prompt", "cases", "needed", "forbidden", "shown"})
_OPEN = frozenset({"LIST", "VECTOR", "MAP", "SET", "SHORTHAND"})
_CLOSE = frozenset({"LIST_END", "VECTOR_END", "MAP_END"})
_TIGHT = _OPEN | {"CARET", "QUOTE", "TAG"}
_MOST = 16 << 20
"""Bytes of a file."""


@attrs.frozen(slots=True, kw_only=True)
class Task:
    """What a program must do, and what shows that it does."""

    id: str
    prompt: str
    cases: tuple[Example, ...]
    kind: str = ""
    needed: tuple[re.Pattern[str], ...] = ()
    """Found in the program's code, each of them: comments, `(comment ...)` and what stands in texts do not count."""
    forbidden: tuple[re.Pattern[str], ...] = ()
    """Found nowhere in it."""
    shown: int = 1
    """So many cases, the first ones, are told to the model; the others are not, also not when it mends."""

    @property
    def digest(self) -> str:
        """What makes it another task when it changes."""
        parts = (self.prompt, *(each.text for each in self.cases), str(self.shown))
        parts += tuple(each.pattern for each in (*self.needed, *self.forbidden))
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def misfit(self, program: str) -> str | None:
        """Return what a program's code lacks, or has and may not have."""
        program = _code(program) if self.needed or self.forbidden else program
        for each in self.needed:
            if not each.search(program):
                return f"the program must have /{each.pattern}/ in it"
        for each in self.forbidden:
            if each.search(program):
                return f"the program may not have /{each.pattern}/ in it"
        return None


def _code(program: str) -> str:
    """Return the text of a program without comments, with one space between its tokens but none within brackets.

    A text is `""`, whatever stands in it.
    """
    out, left = list[str](), 0
    try:
        plain = blank_comments(Source("program.rtfs", program))
    except LanguageError:
        return ""  # it is no program
    for kind, start, end in words(plain):
        word = '""' if kind == "STRING" else plain[start:end]
        if left:  # within (comment ...)
            left += (kind in _OPEN) - (kind in _CLOSE)
        elif word == "comment" and out[-1:] == ["("]:
            out[-1], left = "nil ", 1
        elif kind in _CLOSE:
            out[-1:] = [out[-1].rstrip() if out else "", word, " "]
        else:
            out += [word] if kind in _TIGHT else [word, " "]
    return "".join(out)


def shipped() -> tuple[Task, ...]:
    """Return the tasks that come with the package."""
    from rtfs_framework.api.toml_places import load_toml

    text = files("rtfs_framework.cli.writing").joinpath("tasks.toml").read_text(encoding="utf-8")
    return _all(load_toml(text, "tasks.toml")[0].get("task"), "tasks.toml")


def read_tasks(path: str) -> tuple[Task, ...]:
    """Return the tasks of a file.

    Raises:
        InputError: E0901 or E0903, it cannot be read; E0986, it holds no tasks.
    """
    from rtfs_framework.api.toml_places import load_toml

    require_file(Path(path))
    try:
        with Path(path).open("rb") as file:
            raw = file.read(_MOST + 1)
    except OSError as error:
        raise cannot_read(path, error) from error
    if len(raw) > _MOST:
        raise _bad(f"{path} has more than {_MOST:,} bytes")
    try:
        text = raw.decode("utf-8-sig")
        if path.endswith(".toml"):
            return _all(load_toml(text, path)[0].get("task"), path)
        return _all([json.loads(line) for line in text.splitlines() if line.strip()], path)
    except LanguageError as error:
        if isinstance(error, InputError):
            raise
        raise _bad(f"{path} is no TOML: {error.diagnostics[0].message}") from None
    except (ValueError, RecursionError) as error:
        raise _bad(f"{path} cannot be read: {error}") from None


def picked(tasks: Sequence[Task], limit: int | None, seed: int | None) -> list[Task]:
    """Return the tasks in the order of the file, or in one that a seed draws; the first `limit` of them."""
    found = list(tasks)
    if seed is not None:
        random.Random(seed).shuffle(found)  # noqa: S311 - a sample, no secret
    return found[:limit]


def _all(tables: object, where: str) -> tuple[Task, ...]:
    if not isinstance(tables, list) or not tables:
        raise _bad(f"{where} holds no tasks")
    made = tuple(_task(each, f"{where}, task {number}") for number, each in enumerate(tables, 1))
    seen = set[str]()
    for each in made:
        if each.id in seen:
            raise _bad(f"{where} has two tasks with the id '{each.id}'")
        seen.add(each.id)
    return made


def _task(table: object, where: str) -> Task:
    if not isinstance(table, Mapping):
        raise _bad(f"{where} is no table")
    where = f"{where} ({table['id']:.60})" if isinstance(table.get("id"), str) else where
    others = set(table) - _KEYS
    if others:
        raise _bad(f"{where} has the key '{min(map(str, others))}', which is none of {', '.join(sorted(_KEYS))}")
    for key in ("id", "prompt"):
        if not isinstance(table.get(key), str) or not table[key].strip():
            raise _bad(f"{where}: '{key}' must be a text")
    cases = _texts(table, "cases", where)
    if not cases:
        raise _bad(f"{where} has no cases: without one nobody knows what is right")
    shown = table.get("shown", 1)
    if not isinstance(shown, int) or isinstance(shown, bool) or shown < 0:
        raise _bad(f"{where}: 'shown' must be a number of cases")
    try:
        return Task(
            id=table["id"],
            kind=str(table.get("kind", "")),
            prompt=table["prompt"],
            cases=tuple(map(Example.of, cases)),
            needed=tuple(map(re.compile, _texts(table, "needed", where))),
            forbidden=tuple(map(re.compile, _texts(table, "forbidden", where))),
            shown=shown,
        )
    except (BadExample, re.error) as error:
        raise _bad(f"{where}: {error}") from None


def _texts(table: Mapping[str, Any], key: str, where: str) -> Sequence[str]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise _bad(f"{where}: '{key}' must be a list of texts")
    return found


def _bad(message: str) -> InputError:
    return problem(BAD_TASKS, message, "docs/write.md has the format", exit_code=USAGE)
