"""The house rules about files and folders: each holds on the tree, and each finds what is spoilt for it in a copy."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from house import repo_rules

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


def test_a_new_plugin_folder_gets_its_env(copy: Path) -> None:
    assert "plugin-engines-static" in repo_rules.tox_envs(copy)[0]
    shutil.copytree(copy / STATIC, copy / "plugins/engines/planted")
    assert "plugin-engines-planted" in repo_rules.tox_envs(copy)[0]
