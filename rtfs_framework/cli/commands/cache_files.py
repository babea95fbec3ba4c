"""`rtfs cache export|import`: kept replies in a file of lines.

A file: one JSON object a line. The first says the format, how many lines follow, and a digest of them all; every other
is one reply with a digest of its own, keyed with the user's key. So a line that was changed, added, left out or moved
is found before anything is taken in.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.api.cache import CacheInfo, CacheKey, CacheLevel
from rtfs_framework.api.private import private_file
from rtfs_framework.cli.options import json_option, open_session, trust_option
from rtfs_framework.cli.problems import MALFORMED, OUTPUT, OVERLONG, USAGE, cannot_read, problem, require_file
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.kept import Entry, Wanted, entries, filters, layers, require_working
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.cli.problems import InputError
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.remembering.artifacts.seal import Seal
    from rtfs_framework.orchestrator.remembering.cache_stack import CacheStack

FORMAT = 1
_LONGEST = 1 << 28
"""Characters of a line."""
_USE = "cache export"
_FIELDS = ("layer", "namespace", "digest", "value", "stored_at", "expires_at", "info")


def _config(function: Any) -> Any:
    text = "A configuration, laid over yours and the delegation.toml found here."
    return click.option("--config", metavar="FILE", help=text)(trust_option(function))


@attrs.frozen(slots=True)
class _Sealing:
    """Digests of lines: keyed, so that only this user's are taken for it."""

    seal: Seal

    def of(self, row: dict[str, Any]) -> str:
        return self.seal.mac(b"row", _canonical({name: row[name] for name in _FIELDS})).hex()

    def of_all(self, rows: Iterator[str]) -> str:
        whole = hashlib.sha256()
        for row in rows:
            whole.update(row.encode())
        return self.seal.mac(b"rows", whole.digest()).hex()


def _canonical(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False))
@filters
@json_option
@_config
def export_command(file: str, *, as_json: bool, config: str | None, **wanted: Any) -> None:
    """Write kept replies to FILE, one a line, for `rtfs cache import`. Only you can read it.

    Each line has a digest that is keyed with your key (`artifacts.key`), so the file is taken in where that key is.

    \b
    rtfs cache export replies.jsonl
    rtfs cache export replies.jsonl --symbol app/* --newer 7d
    """  # noqa: D301 - click's \b is a backspace
    with open_session(None, config, journal=False) as session:
        caches, chosen = session.host.caches, Wanted(**wanted)
        found = entries(caches, chosen)
        require_working(layers(caches, chosen.layer), "nothing was exported, for nobody can see what lies in")
        sealing = _sealing(session.host)
        portable = [each for each in found if isinstance(each.item.record.value, str) and _takes(caches, each.name)]
        rows = [_row(each, sealing) for each in portable]
    head = {"rtfs_cache": FORMAT, "rows": len(rows), "digest": sealing.of_all(iter(rows))}
    _write(Path(file), "".join(f"{each}\n" for each in (json.dumps(head), *rows)))
    if as_json:
        put_json({"file": file, "exported": len(rows), "left_out": len(found) - len(rows)})
    else:
        left = "" if len(found) == len(rows) else f"; {len(found) - len(rows)} that no file brings back were left out"
        say(f"exported {len(rows):,} to {file}{left}")


def _takes(caches: CacheStack, name: str) -> bool:
    """Tell whether a layer takes in what a file holds: one of similar requests is put questions, not keys."""
    return caches.layers[name][0].level is not CacheLevel.SIMILAR


def _row(entry: Entry, sealing: _Sealing) -> str:
    key, record = entry.item.key, entry.item.record
    row: dict[str, Any] = {
        "layer": entry.name,
        "namespace": key.namespace,
        "digest": key.digest,
        "value": record.value,
        "stored_at": record.stored_at,
        "expires_at": record.expires_at,
        "info": record.info.to_json(),
    }
    return json.dumps({**row, "seal": sealing.of(row)})


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner can read.

    Raises:
        InputError: E0912, it cannot be written.
    """
    try:
        private_file(path)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise problem(
            OUTPUT, message, "name a file of yours in a folder that you may write", exit_code=USAGE
        ) from error


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False))
@json_option
@_config
def import_command(file: str, *, as_json: bool, config: str | None) -> None:
    """Take in replies that `rtfs cache export` wrote: all of a file that is whole, or nothing.

    A line that was changed, added, left out or sealed with another key is refused, with its number. Replies whose time
    is over are left out. What is taken in is sealed anew, and kept for as long as it still had.

    \b
    rtfs cache import replies.jsonl
    """  # noqa: D301 - click's \b is a backspace
    path = Path(file)
    require_file(path)
    with open_session(None, config, journal=False) as session:
        rows = list(_rows(path, _sealing(session.host)))
        on = session.host.caches.layers
        for number, row in rows:
            if row["layer"] not in on:
                help_ = "install it, or switch it on under [caches]"
                raise _refused(path, number, f"is of the layer '{row['layer']}', which is not on here", help_)
            if not _takes(session.host.caches, row["layer"]):
                raise _refused(path, number, f"is of the layer '{row['layer']}', which takes nothing from a file")
        meant = {row["layer"]: on[row["layer"]][1] for _, row in rows}
        require_working(meant.items(), "nothing was taken in, for there is nowhere to put it:")
        now, taken = time.time(), 0
        for _, row in rows:
            expires = row["expires_at"]
            if expires is None or expires > now:
                ttl = None if expires is None else expires - now
                info = CacheInfo.of_json(row["info"])
                on[row["layer"]][1].put(CacheKey(row["namespace"], row["digest"]), row["value"], ttl, info)
                taken += 1
        require_working(meant.items(), "not all was taken in by")
    if as_json:
        put_json({"file": file, "imported": taken, "expired": len(rows) - taken})
    else:
        say(f"imported {taken:,} from {file}" + (f"; the time of {len(rows) - taken:,} was over" * (taken < len(rows))))


def _rows(path: Path, sealing: _Sealing) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the lines of a file, when all of them are what was written.

    Raises:
        InputError: E0905, E0911, or the file cannot be read.
    """
    lines = list(_lines(path))
    head = _object(path, 1, lines[0] if lines else "")
    if head.get("rtfs_cache") != FORMAT:
        raise _refused(path, 1, f'does not say "rtfs_cache": {FORMAT}, the format that this version reads')
    rows = [line.rstrip("\n") for line in lines[1:]]
    for number, text in enumerate(rows, 2):
        row = _object(path, number, text)
        missing = [name for name in (*_FIELDS, "seal") if name not in row]
        if missing:
            raise _refused(path, number, f"has no '{missing[0]}'")
        if not _is_sealed(row, sealing):
            raise _refused(path, number, "is not what your key sealed: it was changed, or another user exported it")
        yield number, row
    if head.get("rows") != len(rows) or not _same(head.get("digest"), sealing.of_all(iter(rows))):
        raise _refused(path, 1, f"tells of {head.get('rows')} other lines: some were left out, added or moved")


def _is_sealed(row: dict[str, Any], sealing: _Sealing) -> bool:
    try:
        return _same(row["seal"], sealing.of(row))
    except RecursionError:  # read where there was a little more room
        return False


def _same(said: object, found: str) -> bool:
    from hmac import compare_digest

    return isinstance(said, str) and compare_digest(said.encode("utf-8", "replace"), found.encode())


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            number = 0
            while line := file.readline(_LONGEST + 1):
                number += 1
                if len(line) > _LONGEST:
                    raise problem(OVERLONG, f"line {number} of {path} is longer than any reply", "see what it is")
                yield line
    except OSError as error:
        raise cannot_read(str(path), error) from error
    except UnicodeDecodeError as error:
        raise _refused(path, 1, "and what follows are no text in UTF-8") from error


def _object(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _refused(path, number, "is no JSON object")
    return found


def _refused(path: Path, number: int, why: str, way_out: str | None = None) -> InputError:
    help_ = way_out or "nothing was taken in; export the replies again with `rtfs cache export`"
    return problem(MALFORMED, f"line {number} of {path} {why}", help_)


def _sealing(host: Host) -> _Sealing:
    return _Sealing(host.dispatcher.models.reuse.keyring.seal(_USE))
