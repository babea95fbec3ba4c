"""The command line of releases."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from pathlib import Path

from release.distributions import ReleaseError, distributions, wrong_fragments


def main() -> int:
    """Do what the arguments say; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("list", help="every distribution with its version and the number of its changes")
    first = steps.add_parser(
        "prepare", help="write version and changelog: python -m release prepare rtfs-cache-l1 0.1.1"
    )
    first.add_argument("name")
    first.add_argument("version")
    second = steps.add_parser("build", help="build, try and describe everything: python -m release build dist")
    second.add_argument("out", type=Path)
    given = parser.parse_args()
    try:
        _do(given)
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _do(given: argparse.Namespace) -> None:
    if given.step == "list":
        for each in distributions():
            print(f"{each.name:28} {each.version!s:10} {len(each.fragments)} changes")
        return
    wrong = wrong_fragments()
    if wrong:
        raise ReleaseError("\n".join(wrong))
    if given.step == "prepare":
        from release.prepare import prepare

        day = datetime.now(timezone.utc).date().isoformat()
        version = prepare(given.name, given.version, day)
        print(f"{given.name} is at {version}: look at its CHANGELOG.md, commit, tag {given.name}-{version}")
        return
    from release.build import build

    print("\n".join(build(given.out)))


if __name__ == "__main__":
    sys.exit(main())
