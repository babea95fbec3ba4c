"""The distributions of this repository: where each is, what it is called, its version, and what has changed in it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import attrs
from packaging.version import InvalidVersion, Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
KINDS = ("breaking", "deprecated", "added", "changed", "fixed", "security")
"""Of changes, at the end of a fragment's name: `changes/123.fixed.md`, `changes/+words.fixed.md` without an issue."""
_FRAGMENT = re.compile(rf"(?:\d+|\+[a-z0-9-]+)\.(?:{'|'.join(KINDS)})\.md")
_VERSION = re.compile(r'^(?:__version__|version) = "(.+)"$', re.MULTILINE)


class ReleaseError(Exception):
    """What keeps a release from being made, and what to do."""


@attrs.frozen
class Distribution:
    """One of them."""

    folder: Path
    name: str
    version: Version
    said_in: Path
    """The file that says the version."""
    requires: tuple[str, ...] = ()
    """What it needs, as requirements."""

    @classmethod
    def of(cls, folder: Path) -> Distribution:
        """Return the distribution of a folder with a `pyproject.toml`.

        Raises:
            ReleaseError: it says no version.
        """
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
        project = tomllib.loads(text)["project"]
        name, said_in = project["name"], folder / "pyproject.toml"
        if "dynamic" in project:
            said_in = folder / name.replace("-", "_") / "__init__.py"
        found = _VERSION.search(said_in.read_text(encoding="utf-8"))
        if found is None:
            raise ReleaseError(f'{said_in} says no version; write: version = "0.1.0"')
        return cls(folder, name, Version(found[1]), said_in, tuple(project.get("dependencies", ())))

    @property
    def fragments(self) -> list[Path]:
        """The changes since the last release, one file each."""
        return sorted(each for each in (self.folder / "changes").glob("*") if not each.name.startswith("."))

    def next_version(self, text: str) -> Version:
        """Return a version that may follow this one.

        Raises:
            ReleaseError: it is no version, or not above the one that there is.
        """
        try:
            version = Version(text)
        except InvalidVersion:
            usual = f"{self.version.major}.{self.version.minor + 1}.0"
            raise ReleaseError(f"{text!r} is no version: write one as {usual}") from None
        if version <= self.version:
            raise ReleaseError(f"{self.name} is at {self.version} already; {version} is not above it")
        return version

    def write_version(self, version: Version) -> None:
        """Write down that it has another version."""
        was = self.said_in.read_text(encoding="utf-8")
        made = _VERSION.sub(lambda found: found[0].replace(found[1], str(version)), was, count=1)
        self.said_in.write_text(made, encoding="utf-8")


def distributions(root: Path = ROOT) -> list[Distribution]:
    """Return all of them, the core first."""
    return [
        Distribution.of(each)
        for each in [root, *sorted(found.parent for found in root.glob("plugins/*/*/pyproject.toml"))]
    ]


def named(name: str, root: Path = ROOT) -> Distribution:
    """Return the distribution of a name.

    Raises:
        ReleaseError: there is none.
    """
    found = {each.name: each for each in distributions(root)}
    if name not in found:
        raise ReleaseError(f"no distribution is called {name}; there are: {', '.join(found)}")
    return found[name]


def wrong_fragments(root: Path = ROOT) -> list[str]:
    """Return what is wrong with fragments: names that nothing reads, and texts that say nothing."""
    complaints = []
    for each in distributions(root):
        for fragment in each.fragments:
            if not _FRAGMENT.fullmatch(fragment.name):
                complaints.append(
                    f"{fragment.relative_to(root)}: call it NUMBER.KIND.md or +words.KIND.md; kinds: {', '.join(KINDS)}"
                )
            elif len(fragment.read_text(encoding="utf-8").split()) < 3:
                complaints.append(f"{fragment.relative_to(root)}: say in a sentence what changes for users")
    return complaints
