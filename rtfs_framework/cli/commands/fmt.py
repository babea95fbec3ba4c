"""`rtfs fmt FILE...`: one way to lay out programs; comments, literals and meaning stay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from rtfs_framework.cli.faults import FAILED, FINE, text_of
from rtfs_framework.cli.limits import nesting_for, nesting_option
from rtfs_framework.cli.problems import EMPTY, OUTPUT, USAGE, problem
from rtfs_framework.cli.sources import read_program
from rtfs_framework.cli.terminal import complain, put, say
from rtfs_framework.lang.errors import LanguageError

if TYPE_CHECKING:
    from rtfs_framework.lang.source import Source


@attrs.define(slots=True)
class _Count:
    """What happened to the files."""

    changed: int = 0
    unchanged: int = 0
    refused: int = 0

    def text(self, *, check: bool) -> str:
        word = "would be formatted" if check else "formatted"
        parts = [f"{self.changed} {word}", f"{self.unchanged} unchanged"]
        return ", ".join(parts + ([f"{self.refused} refused"] if self.refused else []))


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--check", is_flag=True, help="Write nothing; the exit code is 1 when a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@nesting_option()
def command(files: tuple[str, ...], *, check: bool, diff: bool, nesting: int | None) -> int:
    """Lay out programs: two spaces for bodies, arguments under the first, pairs together, lines of 100.

    A form on one line stays there while it fits; one that was broken stays broken. Comments, blank lines (one inside a
    form, two between forms) and literals are kept. Before a file is written, its forms are compared with those of the
    old text. A folder stands for its *.rtfs files; `-` reads the standard input and prints.

    \b
    rtfs fmt triage.rtfs
    rtfs fmt --check examples
    rtfs fmt - < draft.rtfs
    """  # noqa: D301 - click's \b is a backspace
    count = _Count()
    for name in _programs(files):
        try:
            _format(name, count, nesting, check=check, diff=diff)
        except LanguageError as error:  # noqa: PERF203 - a file that cannot be read does not stop the others
            if len(files) == 1 and name == files[0]:
                raise
            count.refused += 1
            complain(text_of(error))
    if files != ("-",) or check:
        complain(count.text(check=check or diff))
    return FAILED if count.refused or (check and count.changed) else FINE


def _programs(files: tuple[str, ...]) -> Iterator[str]:
    for file in files:
        if file == "-" or not Path(file).is_dir():
            yield file
            continue
        found = sorted(str(path) for path in Path(file).rglob("*.rtfs") if path.is_file())
        if not found:
            raise problem(EMPTY, f"no program in {file}", "programs are files that end in .rtfs", exit_code=USAGE)
        yield from found


def _format(name: str, count: _Count, nesting: int | None, *, check: bool, diff: bool) -> None:
    from rtfs_framework.lang.format.check import format_source

    source = read_program(name)
    made = format_source(source, nesting=nesting_for(name, nesting))
    changed = made != source.text
    count.changed += changed
    count.unchanged += not changed
    if diff:
        put(_difference(source, made), end="")
    elif name == "-":
        put("" if check else made, end="")
    elif changed:
        if check:
            say(f"{name} would be formatted")
        else:
            _replace(Path(name), made)


def _difference(source: Source, made: str) -> str:
    from difflib import unified_diff

    before, after = source.text.splitlines(keepends=True), made.splitlines(keepends=True)
    lines = unified_diff(before, after, source.name, f"{source.name} (formatted)")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _replace(path: Path, text: str) -> None:
    """Write a file's new text beside it, then put it in its place: a full disk leaves the old text.

    Raises:
        InputError: E0912, it cannot be written.
    """
    target = path.resolve()
    beside = target.with_name(f".{target.name}.rtfs-fmt")
    try:
        beside.write_bytes(text.encode("utf-8"))
        beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        message = f"{path} cannot be written: {error.strerror or error}"
        raise problem(OUTPUT, message, "check the rights of the file and its folder", exit_code=USAGE) from error
