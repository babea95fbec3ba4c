"""`rtfs expand` and `rtfs ir`: programs from files and from the command line, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtfs_framework.cli.main import run


@pytest.mark.parametrize(
    ("args", "shown"),
    [
        (["expand", "-e", "(-> 1 inc)"], "(inc 1)\n"),
        (["ir", "-e", "(-> 1 inc)"], "(call (builtin inc) 1)\n"),
        (["ir", "--python", "-e", "nil"], "def rtfs_main():"),
    ],
)
def test_an_expression(args: list[str], shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(args) == 0
    assert capsys.readouterr().out.startswith(shown)


def test_a_file_and_the_modules_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.rtfs").write_text("(module a.b (:exports [one]) (def one 1))", encoding="utf-8")
    program = tmp_path / "p.rtfs"
    program.write_text("(import a.b :as b) (when true b/one)", encoding="utf-8")
    assert run(["expand", str(program)]) == 0
    assert "(if true (do b/one))" in capsys.readouterr().out


def test_modules_are_found_as_they_are_when_a_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "m.rtfs").write_text("(module m (:exports [one]) (def one 1))", encoding="utf-8")
    (tmp_path / "bad.rtfs").write_bytes(b"\xff")
    program = tmp_path / "p.rtfs"
    program.write_text("(import m :only [one]) one", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    assert run(["ir", str(program)]) == 0
    assert "m/one" in capsys.readouterr().out
    program.write_text("(import bad)", encoding="utf-8")
    assert run(["ir", str(program)]) == 1
    assert "error[E0222]: the module file" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["expand", "ir"])
@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ([], 2, "name a program"),
        (["p.rtfs", "-e", "1"], 2, "two programs"),
        (["nosuch.rtfs"], 2, "E0901"),
        (["-e", "(if)"], 1, "E0201"),
        (["-e", "(f"], 1, "E0101"),
    ],
)
def test_refusals(name: str, args: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, *args]) == code
    assert words in capsys.readouterr().err
