"""`rtfs explain E0203`: every code has its page; others are refused."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.cli.main import run
from rtfs_framework.lang.codes import CODES


@pytest.mark.parametrize("code", ["E0203", "e0203"])
def test_a_code_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", code]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("E0203: unknown symbol\n\n")
    assert "wrong:\n    (lenght [1 2])\n\nright:\n    (length [1 2])\n" in shown


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "E0101", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["wrong"] == CODES["E0101"].wrong


def test_every_code_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    for code in CODES:
        assert run(["explain", code]) == 0
        assert CODES[code].title in capsys.readouterr().out


@pytest.mark.parametrize("code", ["E0298", "E999", "e12345"])
def test_an_unknown_code_is_refused(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", code]) == 2
    assert f"there is no code {code}" in capsys.readouterr().err
