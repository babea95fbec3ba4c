"""What a start imports: one module more makes each of them slower, which times tell on a quiet machine only."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.needs("rtfs-cache-l4"),
    pytest.mark.skipif(os.name != "posix", reason="the quick way is for POSIX"),
]
CODE = (
    "import atexit, sys; sys.path.remove('')  # a command's has no current folder\n"
    "before = set(sys.modules)\n"
    "atexit.register(lambda: print(*sorted(set(sys.modules) - before), file=sys.stderr))\n"
    "from rtfs_framework.cli.main import main\n"
    "main()"
)
LARGE = {"attr", "click", "dataclasses", "importlib.metadata", "inspect", "lark", "logging", "pathlib", "tempfile"}
LARGE |= {"calendar", "locale", "platform", "tomllib", "typing_extensions", "uuid"}


@pytest.fixture
def imported(folder):
    """Return a function that runs a command line in a process and tells which modules it imported."""

    def run(*args):
        made = subprocess.run(
            [sys.executable, "-c", CODE, *args], cwd=folder, capture_output=True, timeout=50, check=True, text=True
        )
        return set(made.stderr.split())

    return run


def test_a_new_program_is_run_and_checked_without_large_modules(imported, folder):
    for command in ("run", "check"):
        for name in ("a.rtfs", "b.rtfs"):
            (folder / name).write_text(f"; {name}\n(let [unused 1] (map inc [1 2]))", encoding="utf-8")
        imported(command, "a.rtfs")
        found = imported(command, "b.rtfs")
        assert {*LARGE, "csv", "datetime", "decimal", "hashlib", "typing"} & found == set(), command


def test_a_known_help_imports_next_to_nothing(imported):
    imported("eval", "(str 1)")
    assert "click" in imported("--help")
    found = imported("--help")
    assert LARGE & found == set()
    assert {"typing", "re", "enum"} & found == set()
    assert ours(found) <= 13


def test_a_known_program_imports_little(imported, folder):
    (folder / "a.rtfs").write_text("(defn f [x] (* x x)) (reduce + (map f [1 2 3]))", encoding="utf-8")
    for args, most in ((("eval", "(map inc [1 2 3])"), 51), (("run", "a.rtfs"), 58)):
        imported(*args)
        found = imported(*args)
        assert {*LARGE, "typing", "collections", "contextlib", "decimal", "functools", "re", "weakref"} & found == set()
        assert ours(found) <= most


def ours(names):
    """Return how many of some modules are ours."""
    return len([name for name in names if name.startswith("rtfs_framework")])
