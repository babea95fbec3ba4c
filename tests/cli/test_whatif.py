"""`rtfs whatif`: what another policy would have had, for people and scripts."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo")

PROGRAM = '(defn label [x] :own)\n(defn main [] (mapv label ["a" "b"]))'
ROUTES = '[delegation.static_routes]\n"label" = "{0}"\n'


@pytest.fixture
def ran(rtfs, folder):
    """A run whose two calls went to a local model."""
    (folder / "a.rtfs").write_text(PROGRAM)
    (folder / "then.toml").write_text(ROUTES.format("local-echo"))
    (folder / "other.toml").write_text(ROUTES.format("local-pure"))
    (folder / "denied.toml").write_text('[security]\ndeny = ["label"]\n')
    assert rtfs("run", "a.rtfs", "--config", "then.toml").code == 0
    return rtfs


def test_the_same_policy(ran) -> None:
    result = ran("whatif", "--config", "then.toml")
    assert result.code == 0
    first, head, cost, refused, failed, seconds, note = result.lines
    assert first == "2 calls of 1 run were decided about"
    assert head.split()[:2] == ["then", "what"]
    assert cost.split() == [
        "cost",
        "$0",
        "$0",
        "$0",
        "to",
        "$0",
        "$0",
        "($0",
        "to",
        "$0)",
        "100%",
        "of",
        "the",
        "calls",
    ]
    assert refused.split()[:3] == ["refused", "0.0%", "0.0%"]
    assert failed.split()[:3] == ["failed", "0.0%", "0.0%"]
    assert seconds.split()[0] == "seconds"
    assert note.startswith("quality: nobody has rated")


def test_another_policy(ran) -> None:
    result = ran("whatif", "last", "--config", "other.toml")
    assert result.code == 0
    assert any("2  label: local-model echo then, local-pure" in line for line in result.lines)
    assert any(line.split()[:3] == ["failed", "-", "?"] for line in result.lines), "nobody tried its own body"


def test_refusals_need_no_trial(ran) -> None:
    found = ran("whatif", "--since", "1h", "--config", "denied.toml", "--json").data
    refused = found["quantities"]["refused"]
    assert (found["calls"], refused["then"], refused["doubly_robust"]["mean"]) == (2, 0.0, 1.0)
    assert refused["share"] == 1.0
    assert found["changes"] == [
        {"function": "label", "then": "local-model echo", "now": "denied", "calls": 2},
    ]  # fmt: skip
    assert found["cannot_tell"] == []


def test_no_such_shadow(ran) -> None:
    result = ran("whatif", "--config", "then.toml", "--shadow", "nobody")
    assert result.code == 0
    assert any("no such engine was beside the real one" in line for line in result.lines)


def test_the_shadow_is_shown(rtfs, folder) -> None:
    (folder / "a.rtfs").write_text(PROGRAM)
    (folder / "own.toml").write_text(
        '[delegation]\nengine = "static"\nshadow = "beside"\n[engines.beside]\nplugin = "static"\n'
        '[[engines.beside.rules]]\nsymbols = ["label"]\nto = ["local-pure"]\n' + ROUTES.format("local-echo")
    )
    assert rtfs("run", "a.rtfs", "--config", "own.toml").code == 0
    why = rtfs("runs", "why", "last", "1:0.0.0", "--config", "own.toml")
    assert any(line.split()[:3] == ["shadow", "engine", "'beside':"] for line in why.lines), why.out
    result = rtfs("whatif", "--config", "own.toml", "--shadow", "beside")
    assert any("local-model echo then, local-pure" in line for line in result.lines), result.out


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--since", "soon"), "'soon' is neither a duration such as 7d"),
        (("last", "--since", "7d"), "not both"),
        (("zzz",), "no run is called 'zzz'"),
        (("--journal", "nowhere.sqlite"), "there is no such file"),
        (("--journal", "a.rtfs"), "error[E0720]"),
    ],
)
def test_what_cannot_be_asked(ran, args, told) -> None:
    result = ran("whatif", *args)
    assert result.code != 0
    assert told in result.err


def test_a_shadow_that_was_never_there(ran, folder) -> None:
    (folder / "beside.toml").write_text(
        ROUTES.format("local-echo") + '[delegation]\nengine = "static"\nshadow = "static"\n'
    )
    assert ran("run", "a.rtfs", "--config", "beside.toml").code == 0
    result = ran("whatif", "last", "--config", "beside.toml", "--shadow", "sttic")
    assert result.code == 2
    assert "error[E0910]" in result.err
    assert "there was static" in result.err
    assert "did you mean 'static'?" in result.err
    assert ran("whatif", "last", "--config", "beside.toml", "--shadow", "static").code == 0
