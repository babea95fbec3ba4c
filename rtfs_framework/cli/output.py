"""The file that results are written to, line by line, beside what is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import attrs
from typing_extensions import Self

from rtfs_framework.cli.problems import OUTPUT, USAGE, problem


@attrs.define(slots=True, eq=False)
class Output:
    """A file, or nothing when none is wanted."""

    path: str | None
    file: TextIO | None = None

    @classmethod
    def open(cls, path: str | None, source: str = "-") -> Output:
        """Open the file.

        Raises:
            InputError: E0912, it is the input itself, or cannot be written.
        """
        if path is None:
            return cls(None)
        if source != "-" and Path(path).exists() and Path(path).samefile(source):
            raise problem(OUTPUT, f"{path} is the input itself", "name another file", exit_code=USAGE)
        try:
            return cls(path, Path(path).open("w", encoding="utf-8"))
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror or error}"
            raise problem(OUTPUT, message, "name a file in a folder that you may write", exit_code=USAGE) from error

    @property
    def wanted(self) -> bool:
        """Tell whether anything is to be written."""
        return self.file is not None

    def write(self, line: str) -> None:
        """Write a line.

        Raises:
            InputError: E0912, the disk is full or gone.
        """
        if self.file is None:
            return
        try:
            self.file.write(line + "\n")
        except OSError as error:
            message = f"{self.path} cannot be written: {error.strerror or error}"
            raise problem(OUTPUT, message, "free some space, or name another file") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()
