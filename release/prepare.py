"""Prepare a release of one distribution: its version, its changelog out of its fragments, and who must follow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from release.distributions import ROOT, Distribution, ReleaseError, distributions, named

HEAD = """# Changes

For users of `{name}`. Newest first; what is not released yet is in `changes/`.

<!-- towncrier -->
"""


def prepare(name: str, text: str, day: str, root: Path = ROOT) -> Version:
    """Write the version and the changelog of a release; the fragments go.

    Raises:
        ReleaseError: nothing has changed, the version is not one that may follow, or a plug-in would not fit any more.
    """
    was = named(name, root)
    if not was.fragments:
        place = (was.folder / "changes").relative_to(root)
        raise ReleaseError(f"{name} has no changes since {was.version}: add a file to {place}/")
    version = was.next_version(text)
    _follows(was, version)
    unfit = _unfit(name, version, root)
    if unfit:
        raise ReleaseError(f"{', '.join(unfit)} would not take {name} {version}: widen their ranges first")
    was.write_version(version)
    changelog = was.folder / "CHANGELOG.md"
    if not changelog.exists():
        changelog.write_text(HEAD.format(name=name), encoding="utf-8")
    command = [sys.executable, "-m", "towncrier", "build", "--yes", "--config", str(ROOT / "release/towncrier.toml")]
    subprocess.run([*command, "--dir", str(was.folder), "--version", str(version), "--date", day], check=True, cwd=root)
    return version


def _follows(was: Distribution, new: Version) -> None:
    """Refuse a version that promises less change than the fragments tell of."""
    kinds = {fragment.name.split(".")[-2] for fragment in was.fragments}
    more = sorted(kinds & {"breaking", "added", "deprecated"})
    if new.release[:2] == was.version.release[:2] and more:
        usual = f"{new.major}.{new.minor + 1}.0"
        raise ReleaseError(f"{new} promises corrections alone, and there is: {', '.join(more)}; call it {usual}")
    if new.major and new.major == was.version.major and "breaking" in kinds:
        raise ReleaseError(f"something breaks: call it {new.major + 1}.0.0")


def _unfit(name: str, version: Version, root: Path) -> list[str]:
    """Return the distributions whose range leaves a version out."""
    found = []
    for each in distributions(root):
        wanted = [Requirement(text) for text in each.requires]
        found += [each.name for one in wanted if one.name == name and version not in one.specifier]
    return found
