"""The package's front page: type checkers see what is imported on first use, name by name."""

from __future__ import annotations

import ast
import pydoc
from importlib import import_module
from pathlib import Path

import pytest

import rtfs_framework


def test_every_lazy_name_has_its_type():
    tree = ast.parse(Path(rtfs_framework.__file__).read_text(encoding="utf-8"))
    block, extra, _lazy = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module not in ("typing", "rtfs_framework")
        for alias in node.names
    }
    assert seen == rtfs_framework._LAZY
    embedding = [name for node in extra.body for name in ast.literal_eval(node.value)]
    assert sorted([*rtfs_framework.__all__, *embedding]) == sorted([*seen, "__version__", "aio"])
    for name, module in seen.items():
        assert getattr(rtfs_framework, name) is getattr(import_module(module), name)


def test_help_tells_of_the_front_door_and_of_no_secret(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    rtfs_framework.Session  # noqa: B018 - what was loaded is shown, too
    text = pydoc.render_doc(rtfs_framework, renderer=pydoc.plaintext)
    for name in ("delegated", "run", "Session", "Program", "use", "aio", "ConversionError", "NoAnswerError"):
        assert f"\n    {name}" in text or f"\n        {name}" in text, name
    assert "sk-very-secret" not in text
    assert "PureHost" not in text
    assert dir(rtfs_framework) == sorted(rtfs_framework.__all__)


@pytest.mark.parametrize("name", rtfs_framework.__all__)
def test_every_name_of_the_front_door_says_what_it_is(name):
    found = getattr(rtfs_framework, name)
    assert isinstance(found, str) or found.__doc__


def test_the_words_of_event_loops_are_the_same():
    from rtfs_framework import aio

    assert set(aio.__all__) <= set(rtfs_framework.__all__)
