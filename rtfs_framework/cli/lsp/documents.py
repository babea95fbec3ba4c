"""The documents that an editor has open: their newest reading, and the newest that could be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs
from pygls.uris import to_fs_path

from rtfs_framework.cli.lsp.hosts import Hosts, around, mistakes, module_path
from rtfs_framework.cli.lsp.reading import Reading, read_text
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.running.module_path import SUFFIX, find_module
from rtfs_framework.orchestrator.session import Session


@attrs.frozen(slots=True, eq=False)
class Document:
    """One text."""

    reading: Reading
    best: Reading
    """The newest reading of a text whose brackets are closed, else the newest."""
    found: list[Diagnostic]
    """What is wrong with the newest text, as its host sees it."""


@attrs.define(slots=True, eq=False)
class Documents:
    """All open texts, by URI."""

    hosts: Hosts
    _open: dict[str, Document] = attrs.field(factory=dict)

    def get(self, uri: str) -> Document | None:
        """Return a document that was read."""
        return self._open.get(uri)

    def close(self, uri: str) -> None:
        """Forget a document."""
        self._open.pop(uri, None)

    def session(self, uri: str) -> Session | None:
        """Return the session for a document's folder."""
        return self.hosts.session(_path(uri).parent)

    def new_problems(self) -> list[str]:
        """Return the problems of configurations that nobody was told of."""
        found, self.hosts.problems = self.hosts.problems, []
        return found

    def read(self, uri: str, text: str, opened: Mapping[str, str]) -> Document:
        """Analyze a text; `opened` are the texts that the editor holds, which go before the files' own."""
        path = _path(uri)
        session = self.session(uri)
        texts = {_path(other): each for other, each in opened.items()}
        source = Source(str(path), text)
        folders = [path.parent, Path(), *module_path(session)]
        reading = read_text(source, lambda name: _module(name, folders, texts), around(session))
        earlier = self._open.get(uri)
        best = reading if reading.readable or earlier is None else earlier.best
        made = self._open[uri] = Document(reading, best, mistakes(reading, session))
        return made


def _path(uri: str) -> Path:
    return Path(to_fs_path(uri) or uri)


def _module(name: str, folders: Iterable[Path], texts: Mapping[Path, str]) -> Source | None:
    for folder in folders:
        path = folder.joinpath(*name.split(".")).with_suffix(SUFFIX)
        if path in texts:
            return Source(str(path), texts[path])
    return find_module(name, folders)
