"""Every pass does what its golden files say, and leaves the verifier quiet."""

from __future__ import annotations

import ast

import goldens
import pytest

from rtfs_framework.lang.passes.table import ALL, PASSES


@pytest.mark.parametrize("path", goldens.PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_program_is_what_it_was(path):
    found = goldens.shown(path)
    kept = {end: path.with_suffix(end).read_text(encoding="utf-8") for end in found}
    if goldens.BY_NAME[path.parent.name].run is None:  # Pythons do not set the same parentheses
        found, kept = ({end: ast.dump(ast.parse(text)) for end, text in each.items()} for each in (found, kept))
    assert found == kept


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_pass_changes_some_program(name):
    changed = [path for path in goldens.PROGRAMS if path.parent.name == name]
    assert any(len(set(goldens.shown(path).values())) == 2 for path in changed)


def test_every_pass_says_what_it_does():
    assert [each.name for each in PASSES if not each.doc.endswith(".")] == []
