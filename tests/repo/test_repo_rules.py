"""The house rules about files and folders: each holds on the tree, and each finds what is spoilt for it in a copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from house import install, repo_rules

STATIC = Path("plugins/engines/static")
PROJECT = STATIC / "pyproject.toml"


@pytest.mark.parametrize(
    "rule",
    [repo_rules.packaged_tests, repo_rules.plugin_folders, repo_rules.hooks, repo_rules.readme_commands],
    ids=lambda rule: rule.__name__,
)
def test_the_rule_holds(root: Path, rule) -> None:
    assert rule(root) == []


@pytest.mark.parametrize("gone", ["pyproject.toml", "README.md", "rtfs_engine_static/py.typed", "tests"])
def test_a_plugin_without_a_room_is_found(copy: Path, gone: str) -> None:
    path = copy / STATIC / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert any(gone in complaint for complaint in repo_rules.plugin_folders(copy))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('name = "rtfs-engine-static"', 'name = "static-engine"', "not called rtfs-engine-static"),
        ('static = "rtfs_engine_static.plugin"', 'fixed = "rtfs_engine_static.plugin"', "entry point"),
        ('"rtfs-framework>=0.1,<0.2",', "", "depend on rtfs-framework"),
        ('none = "rtfs_engine_static.plugin"', "", "declares no permissions"),
        ('requires-python = ">=3.10"', 'requires-python = ">=3.12"', "Python 3.10"),
    ],
)
def test_a_plugin_with_another_project_is_found(copy: Path, old: str, new: str, complaint: str) -> None:
    text = (copy / PROJECT).read_text(encoding="utf-8")
    assert old in text
    (copy / PROJECT).write_text(text.replace(old, new), encoding="utf-8")
    assert any(complaint in found for found in repo_rules.plugin_folders(copy))


def test_a_plugin_of_an_unknown_kind_is_found(copy: Path) -> None:
    shutil.copytree(copy / STATIC, copy / "plugins/gadgets/static")
    assert any("gadgets is none of" in found for found in repo_rules.plugin_folders(copy))


def test_a_package_of_tests_is_found(copy: Path) -> None:
    assert repo_rules.packaged_tests(copy) == []
    (copy / STATIC / "tests" / "__init__.py").touch()
    (found,) = repo_rules.packaged_tests(copy)
    assert str(STATIC) in found


def test_a_hook_without_page_or_test_is_found(copy: Path) -> None:
    specs = copy / "rtfs_framework/api/hookspecs.py"
    planted = "\n    @hookspec\n    def rtfs_planted(self) -> None:\n        '''Do nothing.'''\n"
    specs.write_text(specs.read_text(encoding="utf-8") + planted, encoding="utf-8")
    found = [complaint for complaint in repo_rules.hooks(copy) if "rtfs_planted" in complaint]
    assert len(found) == len(["page", "test"])


def test_no_hooks_at_all_is_found(copy: Path) -> None:
    (copy / "rtfs_framework/api/hookspecs.py").write_text("", encoding="utf-8")
    assert repo_rules.hooks(copy)


@pytest.mark.parametrize(
    ("changed", "complaint"), [("README.md", "README.md gives the commands"), ("tox.ini", "tox knows no env `demo`")]
)
def test_a_command_that_tox_does_not_know_is_found(copy: Path, changed: str, complaint: str) -> None:
    assert repo_rules.readme_commands(copy) == []
    text = (copy / changed).read_text(encoding="utf-8")
    (copy / changed).write_text(re.sub(r"(-e |testenv:)demo", r"\1demonstration", text), encoding="utf-8")
    (found,) = repo_rules.readme_commands(copy)
    assert complaint in found


def test_a_new_plugin_folder_is_tested_alone_and_with_the_others(copy: Path) -> None:
    def env_has(name: str) -> bool:
        shown = repo_rules.tox_config(copy, "wheel", "set_env")
        return name in [folder.name for folder in install.sources(copy)] and f"rtfs-engine-{name}" in shown

    assert env_has("static")
    assert not env_has("planted")
    shutil.copytree(copy / STATIC, copy / "plugins/engines/planted")
    assert env_has("planted")


def test_a_plugin_that_fails_alone_fails_the_env(tmp_path: Path) -> None:
    """A run that names no plugin, or one that is not there, is no success."""
    house = Path(install.__file__).parent
    command = [sys.executable, str(house / "alone.py"), str(tmp_path), str(tmp_path / "junit"), "no-such-plugin"]
    environ = {**os.environ, "PYTHONPATH": str(house.parent)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (1, "there is no such plugin: no-such-plugin")
