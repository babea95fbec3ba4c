"""The env holds what it promises: these distributions and no other of ours; in the `wheel` env, wheels and no tree.

tox says in EXPECT_DISTRIBUTIONS what it installed. A test that a missing plugin skips (`@pytest.mark.needs`) can
therefore not be skipped where that plugin should have been.
"""

from __future__ import annotations

import os
from importlib import import_module, metadata
from pathlib import Path

import pytest

import rtfs_framework

GROUP = "rtfs_framework"
DATA_GROUP = "rtfs_framework_data"
ROOT = Path(__file__).parents[2]

in_tox = pytest.mark.skipif("EXPECT_DISTRIBUTIONS" not in os.environ, reason="only tox says what is installed")
from_wheels = pytest.mark.skipif("EXPECT_WHEELS" not in os.environ, reason="only `tox run -e wheel` installs wheels")


def ours() -> list[metadata.Distribution]:
    """Return the installed distributions of this repository."""
    return [found for found in metadata.distributions() if found.name.startswith("rtfs-")]


def modules() -> list[str]:
    """Return the modules that the installed plugins' entry points name."""
    return [entry.module for group in (GROUP, DATA_GROUP) for entry in metadata.entry_points(group=group)]


@in_tox
def test_what_is_installed_is_what_the_env_promises() -> None:
    assert sorted(found.name for found in ours()) == sorted(os.environ["EXPECT_DISTRIBUTIONS"].split())


@in_tox
def test_each_plugin_has_one_entry_point_that_imports() -> None:
    """Some have another one besides, for data that others read: it is of the same package."""
    expected = {name for name in os.environ["EXPECT_DISTRIBUTIONS"].split() if name != "rtfs-framework"}
    packages = {name.replace("-", "_") for name in expected}
    named = [module for module in modules() if module.endswith(".plugin")]
    assert sorted(named) == sorted(f"{package}.plugin" for package in packages)
    assert {module.partition(".")[0] for module in modules()} == packages
    assert all(import_module(module) for module in modules())


def test_the_command_is_there() -> None:
    (command,) = metadata.entry_points(group="console_scripts", name="rtfs")
    assert callable(command.load())


def test_the_version_is_said_once() -> None:
    assert metadata.version("rtfs-framework") == rtfs_framework.__version__


@from_wheels
def test_the_wheels_are_under_test_and_not_the_tree() -> None:
    packages = [rtfs_framework, *(import_module(module.partition(".")[0]) for module in modules())]
    assert all("site-packages" in str(package.__file__) for package in packages)


@from_wheels
def test_the_wheels_hold_the_packages_and_nothing_else() -> None:
    for found in ours():
        package = found.name.replace("-", "_")
        (source,) = ROOT.glob(package) if package == GROUP else ROOT.glob(f"plugins/*/*/{package}")
        assert shipped(found) == {f"{package}/{name}" for name in files(source)}, found.name
        assert f"{package}/py.typed" in shipped(found)


def shipped(found: metadata.Distribution) -> set[str]:
    """Return what a wheel brought: grammars, preludes and rule files as well as modules."""
    names = {str(file) for file in found.files or ()}
    return {name for name in names if ".dist-info/" not in name and "__pycache__" not in name and "../" not in name}


def files(folder: Path) -> set[str]:
    """Return the files of the tree that belong to a package."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}
