"""What `rtfs config trust` does: read a configuration, show what trust lets it do, remember that it is trusted."""

from __future__ import annotations

import os
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from rtfs_framework.cli.problems import MISSING_FILE, USAGE, problem, require_file
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.config.find import FILE
from rtfs_framework.orchestrator.config.trust import Record, TrustStore, digest_of, identity

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGEST = 12


def trust(name: str | None, *, as_json: bool) -> None:
    """Trust a file with the content that it has now.

    Raises:
        InputError: There is no such file.
        ConfigError: It must not be read, is no TOML, or the record cannot be written.
    """
    from rtfs_framework.api.toml_places import parse_toml
    from rtfs_framework.orchestrator.config.guard import Refused, read_guarded

    path = _file(name)
    require_file(path, "configuration")
    try:
        content = read_guarded(path, found=True)
    except Refused as error:
        raise error.error(path) from error
    data, _ = parse_toml(content, str(path))
    record = TrustStore.of(os.environ).add(path, digest_of(content), time.time())
    if as_json:
        put_json({"trusted": _json(record)})
        return
    say(f"trusted: {visible_line(record.path)} (sha256 {record.digest[:_DIGEST]}), until its content changes")
    for text in _powers(data, ()):
        say(f"  {text}")


def revoke(name: str | None, *, as_json: bool) -> None:
    """Trust a file no longer; it need not be there any more."""
    path = _file(name)
    gone = TrustStore.of(os.environ).revoke(path)
    if as_json:
        put_json({"file": identity(path), "revoked": gone})
        return
    say(f"{'no longer trusted' if gone else 'was not trusted'}: {visible_line(identity(path))}")


def show_trusted(*, as_json: bool) -> None:
    """List what is trusted."""
    records = TrustStore.of(os.environ).records()
    if as_json:
        put_json({"trusted": [_json(record) for record in records]})
        return
    if not records:
        say("no configuration is trusted")
    for record in records:
        when = datetime.fromtimestamp(record.time, timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M")
        say(f"{record.digest[:_DIGEST]}  {when}  {_state(record):<9}  {visible_line(record.path)}")


def _json(record: Record) -> dict[str, object]:
    return {"file": record.path, "digest": record.digest, "time": record.time, "state": _state(record)}


def _state(record: Record) -> str:
    """Return whether a trusted file is still what it was."""
    from rtfs_framework.orchestrator.config.guard import Refused, read_guarded

    try:
        same = digest_of(read_guarded(Path(record.path), found=True)) == record.digest
    except FileNotFoundError:
        return "gone"
    except (OSError, Refused):
        return "refused"
    return "unchanged" if same else "changed"


def _file(name: str | None) -> Path:
    """Return the file that is meant; a folder stands for the one in it.

    Raises:
        InputError: None was named, and there is none here.
    """
    path = Path(name) if name is not None else Path(FILE)
    if name is None and not path.exists():
        raise problem(MISSING_FILE, f"there is no {FILE} here", "name the file to trust", exit_code=USAGE)
    return path / FILE if path.is_dir() else path


def _powers(table: dict[str, object], path: tuple[str, ...]) -> Iterator[str]:
    """Yield what the file says, one line a value: the user sees what is trusted."""
    import json

    for key, value in table.items():
        if isinstance(value, dict):
            yield from _powers(value, (*path, key))
        else:
            shown = json.dumps(value, ensure_ascii=True, default=str)
            yield visible_line(f"{'.'.join((*path, key))} = {shown if len(shown) <= 100 else shown[:99] + '…'}")
