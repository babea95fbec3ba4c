"""The layer checker passes on the tree, and fails on every kind of violation that is planted in a copy of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from house import layers

DOWNWARD = "each layer imports only downward"
ROOMS = "each room of the orchestrator imports only from those below it"
PURE = "lang, stdlib and kernel have no I/O"
PLUGGY = "only the registry and the hook markers know pluggy"
DOOR = "plugins import nothing of the core but rtfs_framework.api"
FRONT = "plugins do not import the core's front page"
ALONE = "no plugin imports another"
CORE = "the core imports no plugin"

ROOM = "rtfs_framework/orchestrator"
STATIC = "plugins/engines/static/rtfs_engine_static"

PLANTED = [
    ("rtfs_framework/lang/planted.py", "from rtfs_framework.stdlib import table", DOWNWARD),
    ("rtfs_framework/kernel/planted.py", "from rtfs_framework import api", DOWNWARD),
    ("rtfs_framework/orchestrator/planted.py", "import rtfs_framework.cli", DOWNWARD),
    ("rtfs_framework/testing/planted.py", "import rtfs_framework.cli", DOWNWARD),
    ("rtfs_framework/cli/planted.py", "import rtfs_framework.testing", DOWNWARD),
    ("rtfs_framework/planted/__init__.py", "'''A package with no place in the line.'''", DOWNWARD),
    (f"{ROOM}/deciding/planted.py", "from rtfs_framework.orchestrator.performing import models", ROOMS),
    (f"{ROOM}/config/planted.py", "from rtfs_framework.orchestrator.boundary import answers", ROOMS),
    (f"{ROOM}/planted.py", "'''A room with no place in the line.'''", ROOMS),
    ("rtfs_framework/lang/planted.py", "import time", PURE),
    ("rtfs_framework/stdlib/planted.py", "def f():\n    import random", PURE),
    ("rtfs_framework/kernel/planted.py", "from asyncio import run", PURE),
    ("rtfs_framework/orchestrator/planted.py", "import pluggy", PLUGGY),
    (f"{STATIC}/planted.py", "from rtfs_framework.registry import manager", DOOR),
    (f"{STATIC}/planted.py", "import pluggy", DOOR),
    (f"{STATIC}/planted.py", "from rtfs_framework import Session", FRONT),
    (f"{STATIC}/planted.py", "import rtfs_cache_l1", ALONE),
    ("rtfs_framework/orchestrator/planted.py", "def f():\n    import rtfs_engine_static", CORE),
]


def verdicts(report: str) -> dict[str, str]:
    """Read the report's summary; import-linter wraps long names."""
    summary = report.partition("dependencies.")[2].partition("Contracts:")[0]
    found = re.findall(r"([a-z].+?) (KEPT|BROKEN)(?: \([^)]*\))?", " ".join(summary.split()))
    return {name: verdict for name, verdict in found}  # noqa: C416 - dict() of pairs loses their types


def test_the_tree_keeps_every_contract(root: Path) -> None:
    result = layers.check(root)
    assert result.returncode == 0, result.stdout + result.stderr
    assert set(verdicts(result.stdout).values()) == {"KEPT"}


@pytest.mark.parametrize(("where", "line", "contract"), PLANTED)
def test_a_planted_violation_is_found(copy: Path, where: str, line: str, contract: str) -> None:
    (copy / where).parent.mkdir(exist_ok=True)
    (copy / where).write_text(f"{line}\n", encoding="utf-8")

    result = layers.check(copy)

    assert result.returncode != 0
    broken = [name for name, verdict in verdicts(result.stdout).items() if verdict == "BROKEN"]
    assert any(name.startswith(contract) for name in broken), result.stdout + result.stderr


def test_a_new_plugin_is_held_to_the_contracts(copy: Path) -> None:
    package = copy / "plugins" / "engines" / "planted" / "rtfs_engine_planted"
    package.mkdir(parents=True)
    (package.parent / "pyproject.toml").touch()
    (package / "__init__.py").write_text("import rtfs_framework.kernel\n", encoding="utf-8")
    assert verdicts(layers.check(copy).stdout)[DOOR] == "BROKEN"
