"""Making a plug-in's folder: all of it, or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.cli import door
from rtfs_framework.cli.kit.names import check_name, distribution_of
from rtfs_framework.cli.kit.rendering import rendered
from rtfs_framework.cli.problems import problem
from rtfs_framework.lang.visible import visible_line

IN_THE_WAY = "E0995"
_MOST_AUTHOR = 200


@attrs.frozen(slots=True, kw_only=True)
class New:
    """What was made."""

    kind: str
    name: str
    distribution: str
    folder: Path
    files: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "kind": self.kind,
            "name": self.name,
            "distribution": self.distribution,
            "folder": str(self.folder),
            "files": list(self.files),
        }

    def lines(self) -> Iterator[str]:
        """Yield what people are shown: what there is, and how to go on."""
        yield f"{visible_line(str(self.folder))}: {self.distribution}, {len(self.files)} files"
        for file in self.files:
            yield f"  {file}"
        yield ""
        yield "go on with"
        yield f"  cd {visible_line(str(self.folder))}"
        yield '  python -m pip install --editable ".[test]"'
        yield "  pytest"
        yield "  rtfs plugins"


def make(kind: str, name: str, into: str, *, author: str, license_: str) -> New:
    """Make a plug-in's folder below another one.

    Raises:
        InputError: E0993, it is no name; E0994, it is taken; E0995, something is in the way of its folder.
    """
    check_name(kind, name, door.full_catalog(), _installed())
    distribution = distribution_of(kind, name)
    author = author.strip() or f"The authors of {distribution}"
    if not author.isprintable() or len(author) > _MOST_AUTHOR:
        raise problem("E0910", "an author is a line of text", '--author "Ada Lovelace"', exit_code=2)
    texts = rendered(kind, name, author=author, license_=license_, today=datetime.now(timezone.utc).date())
    folder = Path(into) / name
    if folder.exists() or folder.is_symlink():
        raise problem(IN_THE_WAY, f"{folder} is there already", "choose another name, or another folder with --into")
    try:
        _write(folder, texts)
    except OSError as error:
        way_out = "check the folder's rights, or choose another one with --into"
        raise problem(IN_THE_WAY, f"{folder} cannot be made: {error.strerror or error}", way_out) from error
    return New(kind=kind, name=name, distribution=distribution, folder=folder, files=tuple(texts))


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Write all files beside the place, then put the folder there in one step."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".rtfs-new-") as beside:
        made = Path(beside, "made")
        for name, text in texts.items():
            file = made / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        made.chmod(0o755)
        shutil.move(made, folder)


def _installed() -> set[str]:
    """Return the normal names of all distributions that are installed."""
    from importlib.metadata import distributions

    from rtfs_framework.registry.permissions import normal

    names = (found.metadata["Name"] for found in distributions())
    return {normal(name) for name in names if name}
