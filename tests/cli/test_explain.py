"""`rtfs explain`: each call that can leave the kernel, each step of its decision."""

from __future__ import annotations

import pytest


def test_a_pure_program(rtfs) -> None:
    assert rtfs("explain", "pure.rtfs").out == "no call of this program can leave the kernel\n"


@pytest.mark.needs("rtfs-provider-rules")
def test_every_step_is_shown(rtfs) -> None:
    result = rtfs("explain", "feeling.rtfs")
    assert result.code == 0
    assert "feel (function" in result.out
    assert '    deny  no rule\n    hint  :local-model "sentiment" -> local-model sentiment\n' in result.out
    assert "  -> local-model sentiment, because of the author's hint" in result.out
    assert "answered by rules (rtfs-provider-rules " in result.out
    assert result.lines[-1] == "1 call can leave the kernel"


@pytest.mark.needs("rtfs-provider-rules")
def test_json(rtfs) -> None:
    data = rtfs("explain", "feeling.rtfs", "--json").data
    (site,) = data["sites"]
    assert (site["name"], site["target"], site["usable"]) == ("feel", "local-model sentiment", True)
    assert site["steps"][0] == ["deny", "no rule"]
    assert len(data["policy"]) == 64


@pytest.mark.needs("rtfs-provider-rules", "rtfs-provider-openai")
def test_a_route_and_what_it_excludes(rtfs, folder) -> None:
    (folder / "delegation.toml").write_text(
        '[delegation.static_routes]\n"draft-*" = ["remote-openai", "local-sentiment"]\n'
    )
    (folder / "draft.rtfs").write_text("(defn draft-it [x] x)\n(defn main [x] (draft-it x))")
    result = rtfs("explain", "draft.rtfs")
    assert "static route  route 'draft-*' -> local-model sentiment, after 1 that cannot be used" in result.out
    assert "excluded      remote openai: the environment variable OPENAI_API_KEY is not set" in result.out


def test_what_cannot_be_used_is_said(rtfs, folder) -> None:
    (folder / "files.rtfs").write_text("(defn main [x] (call :nobodys.read x))")
    result = rtfs("explain", "files.rtfs")
    assert "nobodys.read (capability, inside main)" in result.out
    assert "not usable now: no plugin offers 'nobodys.read'" in result.out
    assert result.lines[-1] == "1 call can leave the kernel, 1 of them would fail now"


def test_a_program_with_mistakes(rtfs, folder) -> None:
    (folder / "bad.rtfs").write_text("(+ 1")
    result = rtfs("explain", "bad.rtfs")
    assert result.code == 1
    assert "error[E0101]" in result.err
