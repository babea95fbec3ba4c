"""`rtfs fmt`: what is written, printed and refused, and the exit codes."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from rtfs_framework.cli.main import run
from rtfs_framework.lang.format import check as formatting

UGLY, NEAT = "(f   1)", "(f 1)\n"


@pytest.fixture
def ugly(tmp_path: Path) -> Path:
    path = tmp_path / "ugly.rtfs"
    path.write_text(UGLY, encoding="utf-8")
    return path


def test_a_file_is_rewritten_once(ugly: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ugly.chmod(0o640)
    assert run(["fmt", str(ugly)]) == 0
    assert ugly.read_text(encoding="utf-8") == NEAT
    assert ugly.stat().st_mode & 0o777 == 0o640
    assert run(["fmt", str(ugly)]) == 0
    assert capsys.readouterr().err == "1 formatted, 0 unchanged\n0 formatted, 1 unchanged\n"
    assert [path.name for path in ugly.parent.iterdir()] == ["ugly.rtfs"]


def test_check_and_diff_write_nothing(ugly: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fmt", "--check", str(ugly)]) == 1
    assert run(["fmt", "--diff", str(ugly)]) == 0
    assert run(["fmt", "--diff", "--check", str(ugly)]) == 1
    assert ugly.read_text(encoding="utf-8") == UGLY
    shown = capsys.readouterr().out
    assert "-(f   1)\n+(f 1)\n" in shown
    assert f"{ugly} would be formatted" in shown


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(UGLY.encode())))
    assert run(["fmt", "-"]) == 0
    assert capsys.readouterr().out == NEAT


def test_a_folder_stands_for_its_programs(ugly: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (ugly.parent / "more").mkdir()
    (ugly.parent / "more" / "neat.rtfs").write_text(NEAT, encoding="utf-8")
    (ugly.parent / "notes.txt").write_text("((((", encoding="utf-8")
    assert run(["fmt", str(ugly.parent)]) == 0
    assert capsys.readouterr().err == "1 formatted, 1 unchanged\n"


def test_a_file_that_cannot_be_read_does_not_stop_the_others(ugly: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = ugly.parent / "broken.rtfs"
    broken.write_text("(f", encoding="utf-8")
    assert run(["fmt", str(broken), str(ugly)]) == 1
    assert ugly.read_text(encoding="utf-8") == NEAT
    assert broken.read_text(encoding="utf-8") == "(f"
    said = capsys.readouterr().err
    assert "error[E0101]" in said
    assert "1 formatted, 0 unchanged, 1 refused" in said


@pytest.mark.parametrize(
    ("argument", "code", "words"),
    [("nosuch.rtfs", 2, "E0901"), ("empty", 2, "E0907"), ("broken.rtfs", 1, "E0101"), ("latin.rtfs", 1, "E0902")],
)
def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str], argument: str, code: int, words: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.rtfs").write_text("(f", encoding="utf-8")
    (tmp_path / "latin.rtfs").write_bytes(b'"\xe9"')
    assert run(["fmt", str(tmp_path / argument)]) == code
    assert f"error[{words}]" in capsys.readouterr().err


def test_a_place_that_cannot_be_written(ugly: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    assert run(["fmt", str(ugly)]) == 2
    assert "error[E0912]" in capsys.readouterr().err
    assert ugly.read_text(encoding="utf-8") == UGLY
    assert [path.name for path in ugly.parent.iterdir()] == ["ugly.rtfs"]


def test_a_bug_of_ours_leaves_the_file_alone(ugly: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(formatting, "lay_out", lambda *_: "(f 2)\n")
    assert run(["fmt", str(ugly)]) == 1
    assert "internal error" in capsys.readouterr().err
    assert ugly.read_text(encoding="utf-8") == UGLY
