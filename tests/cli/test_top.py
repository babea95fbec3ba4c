"""`rtfs top`: what there is to see of models and budgets, once; and on a screen of its own until Ctrl-C."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs("rtfs-provider-echo")

PROGRAM = """
(defn ^:delegation :local-model "echo" say [text :string] : :string text)
(defn main [] (mapv say ["a" "b"]))
"""
CONFIG = '[budgets.team]\ncalls = 10\nper = "day"\n'


@pytest.fixture
def ran(rtfs, folder):
    """Two calls of a model, within a budget."""
    (folder / "a.rtfs").write_text(PROGRAM)
    (folder / "own.toml").write_text(CONFIG)
    assert rtfs("run", "a.rtfs", "--config", "own.toml").code == 0
    return rtfs


def test_once(ran) -> None:
    result = ran("top", "--once", "--window", "1h", "--config", "own.toml")
    assert result.code == 0
    head, echo, gap, budgets, team = result.lines
    assert head.split()[:3] == ["target", "state", "calls"]
    assert echo.split()[:5] == ["local-model", "echo", "2", "0.000556", "0"]
    assert (gap, budgets.split()[0]) == ("", "budget")
    assert team.split()[:2] == ["team", "8"]


def test_json(ran) -> None:
    found = ran("top", "--window", "1h", "--config", "own.toml", "--json").data
    assert found["seconds"] == 3600.0
    (echo,) = found["targets"]
    assert (echo["target"], echo["calls"], echo["failed"], echo["from_memory"]) == ("local-model echo", 2, 0, 0)
    (team,) = found["budgets"]
    assert (team["budget"], team["left"]) == ("team", 8)


def test_what_happened_before_the_window_is_left_out(ran) -> None:
    assert ran("top", "--window", "0.000001s", "--config", "own.toml", "--json").data["targets"] == []


def test_a_watched_model_is_shown_before_anybody_calls_it(rtfs, folder) -> None:
    (folder / "own.toml").write_text(
        '[delegation.remote_providers.big]\nprovider = "echo"\n[health.targets."remote-big"]\nstate = "forced-open"\n'
    )
    result = rtfs("top", "--once", "--config", "own.toml")
    assert result.code == 0, result.err
    assert any(line.split()[:3] == ["remote", "big", "forced-open"] for line in result.lines), result.out


def test_without_anything(rtfs) -> None:
    result = rtfs("top")
    assert result.code == 0
    assert result.lines[0].split()[:2] == ["target", "state"]


@pytest.mark.parametrize("text", ["0s", "soon", "-1s", "8d"])
def test_no_stretch_of_time(rtfs, text) -> None:
    result = rtfs("top", "--window", text)
    assert result.code != 0
    assert "is no stretch of time such as 60s" in result.err


def test_ctrl_c_ends_it(ran, monkeypatch) -> None:
    """On a terminal it looks again and again, and Ctrl-C is how one leaves."""
    from rtfs_framework.cli.commands import top

    looks = []

    def sleep(_seconds):
        looks.append(1)
        if len(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(top.time, "sleep", sleep)
    monkeypatch.setattr(top, "is_terminal", lambda _stream: True)
    result = ran("top", "--config", "own.toml")
    assert (result.code, len(looks)) == (0, 3), result.err
    assert "local-model echo" in result.out
