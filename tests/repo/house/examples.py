"""Run the examples of Markdown pages: a pytest plugin (`pytest -p house.examples README.md docs`) made with sybil.

- A `python` block is run; `>>>` lines in it are compared with what follows them.
- A `console` block is a session: each line after `$ ` is run by the shell, and what it prints is compared with the
  lines below it, up to the next `$ `. `...` stands for any text, also over several lines. A command must exit with 0,
  unless the last line below it is `[exit N]`. Only `rtfs` and harmless companions may be run, so a block that names
  another command is an error and not an example that nobody runs: write it as `sh`.
- A block whose first line is ```` ```LANGUAGE file=NAME ```` is written to that file first, for the blocks after it.
- `<!-- skip: next "reason" -->` leaves the next block out.

Each page runs in a folder of its own in which `examples` is the repository's.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = {"rtfs", "cat", "echo", "head", "ls", "mkdir", "printf", "wc"}
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)
_EXIT = re.compile(r"\n?\[exit (\d+)\]\s*$")
_SECONDS = 50
"""Per command; less than the limit per test, so that the command is named and not the test."""


def session(example: Example) -> str | None:
    """Run a console block; return what is wrong with it, or None."""
    _, *steps = _PROMPT.split(example.parsed)
    if not steps:
        return "a console block starts with `$ `"
    complaints = (_step(step, _folder(example.namespace)) for step in steps)
    return next((complaint for complaint in complaints if complaint), None)


def _step(step: str, folder: Path) -> str | None:
    command, _, expected = step.partition("\n")
    status = 0
    if marked := _EXIT.search(expected):
        status, expected = int(marked[1]), expected[: marked.start()]
    programs = {part.split()[0] for part in re.split(r"\||&&|;", re.sub(r"'[^']*'|\"[^\"]*\"", "''", command)) if part}
    if strange := programs - COMMANDS:
        return f"`{command}` runs {', '.join(sorted(strange))}; only {', '.join(sorted(COMMANDS))} may be examples"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        # What a run remembers stays in the page's folder, so that a page reads the same every time.
        env={
            **os.environ,
            "RTFS_HOME": str(folder / ".rtfs"),
            "COLUMNS": "160",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != status:
        return f"`{command}` exited with {done.returncode}, not {status}:\n{done.stdout}"
    if not _matches(expected.strip(), _trimmed(done.stdout)):
        return f"`{command}` printed\n{done.stdout}\nand not\n{expected}"
    return None


def _trimmed(text: str) -> str:
    """Drop what a reader cannot see: blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _matches(expected: str, printed: str) -> bool:
    return re.fullmatch(re.escape(_trimmed(expected)).replace(r"\.\.\.", ".*"), printed, re.DOTALL) is not None


def _files(document: Document) -> list[Region]:
    """Find the blocks that name a file, and write it when their turn comes."""
    lexer = RawFencedCodeBlockLexer(re.compile(r"\S+ file=(?P<name>[\w.-]+)[ \t]*$\n", re.MULTILINE))
    return [
        Region(found.start, found.end, (found.lexemes["name"], found.lexemes["source"]), _write)
        for found in lexer(document)
    ]


def _write(example: Example) -> None:
    name, text = example.parsed
    (_folder(example.namespace) / name).write_text(text, encoding="utf-8")


def _folder(namespace: dict[str, Any]) -> Path:
    return Path(namespace["_folder"].name)


def _open(namespace: dict[str, Any]) -> None:
    namespace["_folder"] = tempfile.TemporaryDirectory()
    (_folder(namespace) / "examples").symlink_to(ROOT / "examples")


def _close(namespace: dict[str, Any]) -> None:
    namespace["_folder"].cleanup()


collect = Sybil(
    parsers=[
        _files,
        CodeBlockParser("console", session),
        PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE),
        SkipParser(),
    ],
    patterns=["*.md"],
    path=str(ROOT),
    setup=_open,
    teardown=_close,
).pytest()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the pages that are named on the command line, and those in folders that are."""
    return collect(file_path, parent)
