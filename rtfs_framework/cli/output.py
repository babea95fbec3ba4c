"""The file that results are written to, line by line, beside what is shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TextIO

import attrs
from typing_extensions import Self

from rtfs_framework.api.private import private_file
from rtfs_framework.cli.problems import OUTPUT, USAGE, InputError, problem
from rtfs_framework.cli.shown.data import line


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write a whole file, or leave what was there; what is no ordinary file (a device, a pipe) is written to.

    A private one has mode 0600, for it holds what the journal or a cache keeps; any other follows the umask.

    Raises:
        InputError: E0912, it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
        else:
            _replace(path.resolve(), text, private=private)  # a link stays, and what it names is written
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise problem(OUTPUT, message, "name a file in a folder that you may write", exit_code=USAGE) from error


def _replace(path: Path, text: str, *, private: bool) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        if private:
            private_file(beside)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@attrs.define(slots=True, eq=False)
class Output:
    """A file, or nothing when none is wanted."""

    path: str | None
    file: TextIO | None = None

    @classmethod
    def open(cls, path: str | None, source: str = "-", at: int | None = None, *, private: bool = False) -> Output:
        """Open the file; `at` is how long it was when what follows was not in it yet, None for a new one.

        A private one has mode 0600, or is made so, before anything is in it; any other follows the umask.

        Raises:
            InputError: E0912, it is the input itself, or cannot be written.
        """
        if path is None:
            return cls(None)
        if source != "-" and Path(path).exists() and Path(path).samefile(source):
            raise problem(OUTPUT, f"{path} is the input itself", "name another file", exit_code=USAGE)
        try:
            if private:
                private_file(Path(path).resolve())
            if at is None:
                return cls(path, Path(path).open("w", encoding="utf-8"))
            os.truncate(path, at)
            return cls(path, Path(path).open("a", encoding="utf-8"))
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror or error}"
            raise problem(OUTPUT, message, "name a file in a folder that you may write", exit_code=USAGE) from error

    def said(self) -> dict[str, int]:
        """Return how long it is, for whoever goes on with it: all that was written is in it then."""
        if self.file is None:
            return {}
        self.file.flush()
        return {"output": os.fstat(self.file.fileno()).st_size}

    @property
    def wanted(self) -> bool:
        """Tell whether anything is to be written."""
        return self.file is not None

    def write(self, data: Any) -> None:
        """Write a line of JSON.

        Raises:
            InputError: E0912, the disk is full or gone.
        """
        if self.file is None:
            return
        with self._told():
            self.file.write(line(data) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close the file; that it cannot take what it still has to take is told, unless something else went wrong."""
        if self.file is None:
            return
        with suppress(InputError) if kind is not None else nullcontext(), self._told():
            self.file.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"{self.path} cannot be written: {error.strerror or error}"
            raise problem(OUTPUT, message, "free some space, or name another file") from error
