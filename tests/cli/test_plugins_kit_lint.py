"""What `rtfs plugin new` makes is clean by its own linter's rules, whatever it is called."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from rtfs_framework.cli.kit.kinds import KINDS, LICENSES
from rtfs_framework.cli.kit.names import LONGEST
from rtfs_framework.cli.kit.rendering import rendered

DAY = date(2026, 1, 1)
LONG = f"a-{'long-name-of-a-plug-in-that-is-there' * 2}"[:LONGEST].strip("-")


@pytest.mark.parametrize(
    "name", ["a", "my-own-42", f"a-{'long-name-of-a-plug-in-that-is-there' * 2}"[:LONGEST].strip("-")]
)
def test_it_is_clean(tmp_path, name):
    for kind in KINDS:
        for path, text in rendered(kind, name, author="Ada", license_=LICENSES[0], today=DAY).items():
            file = tmp_path / kind / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    for line in (("check", "--no-cache"), ("format", "--check", "--no-cache")):
        found = subprocess.run(
            [sys.executable, "-m", "ruff", *line, "."], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert found.returncode == 0, found.stdout + found.stderr


def test_a_linter_that_finds_nothing_would_be_noticed(tmp_path):
    made = rendered("guard", "mine", author="Ada", license_=LICENSES[0], today=DAY)
    (tmp_path / "pyproject.toml").write_text(made["pyproject.toml"], encoding="utf-8")
    (tmp_path / "wrong.py").write_text("import os\n", encoding="utf-8")
    line = [sys.executable, "-m", "ruff", "check", "--no-cache", "."]
    found = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert {"D100", "F401"} <= set(found.stdout.split())


@pytest.mark.parametrize("kind", KINDS)
def test_a_plug_in_imports_the_api_and_nothing_else_of_the_framework(kind):
    import ast

    made = rendered(kind, "mine", author="Ada", license_=LICENSES[0], today=DAY)
    for path, text in made.items():
        if path.startswith(f"rtfs_{kind}_mine/") and path.endswith(".py"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("rtfs_framework"):
                    assert node.module == "rtfs_framework.api", path
