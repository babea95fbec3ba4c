"""Without a configuration described functions go to what is here; `rtfs config init` writes that down, trusted."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs("rtfs-provider-openai")

PROGRAM = """
(defn helper [x] (str x "!"))
(defn mood "The mood of this message." [text : :string] : [:enum :good :bad] (if (= text "") :bad :good))
(defn main [] (mood (helper "It broke.")))
"""
KEY = "sk-very-secret"
NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture
def here(folder, monkeypatch):
    """A folder with a program, where no model is installed and no key is set."""
    (folder / "a.rtfs").write_text(PROGRAM, encoding="utf-8")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RTFS_LOCAL_MODEL_PATH", "")  # no installed model is looked for
    return folder


@pytest.fixture
def with_key(here, monkeypatch):
    """The same, with a key."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return here


def test_without_model_and_key_nothing_leaves_and_there_is_nothing_to_write(rtfs, here) -> None:
    assert rtfs("run", "a.rtfs").out == ":good\n"
    result = rtfs("config", "init")
    assert result.code == 1
    assert "error[E0936]" in result.err
    assert "OPENAI_API_KEY" in result.err
    assert not (here / "delegation.toml").exists()


def test_with_a_key_only_described_functions_go_there(rtfs, with_key) -> None:
    told = rtfs("check", "a.rtfs").out
    assert "helper is pure" in told
    assert "mood is delegatable" in told
    told = rtfs("explain", "a.rtfs").out
    assert "-> remote openai, because of no delegation.toml, and OPENAI_API_KEY is set: remote openai" in told
    assert KEY not in told


def test_one_line_says_so_unless_told_to_be_quiet(rtfs, with_key, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", NOBODY)  # nobody answers there: the own body does
    line = "hint[E0709]: no delegation.toml, and OPENAI_API_KEY is set: mood goes to remote openai"
    result = rtfs("run", "a.rtfs")
    assert result.out == ":good\n"
    assert result.err.count(line) == 1
    hints = [each for each in result.err.splitlines() if not each.startswith(" ")]
    assert [each[:11] for each in hints] == ["hint[E0709]", "hint[E0625]"]  # and that its own body ran in the end
    quiet = rtfs("run", "a.rtfs", "--quiet")
    assert (quiet.out, quiet.err) == (":good\n", "")
    problem, _ = rtfs("run", "a.rtfs", "--json").data["problems"]
    assert (problem["code"], problem["severity"]) == ("E0709", "hint")
    assert KEY not in str(problem)


def test_nothing_is_said_where_nothing_may_leave(rtfs, with_key, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_SECURITY__REACH", '"local"')
    result = rtfs("run", "a.rtfs")
    assert (result.out, result.err) == (":good\n", "")


@pytest.mark.parametrize("url", ["ftp://me:hush@127.0.0.1/v1", "http://me:hush@example.com/v1"])
def test_a_key_whose_provider_cannot_be_asked_is_told_with_the_reason(rtfs, with_key, monkeypatch, url) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    result = rtfs("config", "init")
    assert (result.code, "error[E0936]" in result.err) == (1, True)
    assert "no provider's key is set" not in result.err
    assert "OPENAI_API_KEY is set, and remote-openai cannot be asked: " in result.err
    assert "OPENAI_BASE_URL" in result.err
    assert "hush" not in result.err
    assert KEY not in result.err


def test_what_was_found_is_written_down_and_in_force(rtfs, with_key) -> None:
    before = rtfs("explain", "a.rtfs").out
    made = rtfs("config", "init")
    assert made.code == 0
    assert "described functions go to remote-openai, because OPENAI_API_KEY is set; it is trusted" in made.out
    text = (with_key / "delegation.toml").read_text(encoding="utf-8")
    assert KEY not in text
    checked = rtfs("config", "check")
    assert (checked.code, checked.err) == (0, "")
    assert "no mistakes" in checked.out
    after = rtfs("explain", "a.rtfs")
    assert "-> remote openai, because of [delegation] described: remote openai" in after.out
    assert after.out.count("->") == before.count("->") == 1
    assert str(with_key / "delegation.toml") in rtfs("config", "trust", "--list").out


def test_nothing_is_written_over_without_a_word(rtfs, with_key) -> None:
    (with_key / "delegation.toml").write_text("# mine\n", encoding="utf-8")
    result = rtfs("config", "init")
    assert (result.code, "error[E0935]" in result.err) == (2, True)
    assert (with_key / "delegation.toml").read_text(encoding="utf-8") == "# mine\n"
    assert rtfs("config", "init", "--force").code == 0
    assert "described" in (with_key / "delegation.toml").read_text(encoding="utf-8")


def test_it_may_be_printed_instead(rtfs, with_key) -> None:
    text = rtfs("config", "init", "--stdout").out
    assert 'described = "remote-openai"' in text
    data = rtfs("config", "init", "--stdout", "--json").data
    assert (data["target"], data["because"], data["trusted"]) == ("remote-openai", "OPENAI_API_KEY is set", False)
    assert data["text"] == text
    assert not (with_key / "delegation.toml").exists()


def test_a_key_that_comes_later_is_seen(process, with_key, monkeypatch) -> None:
    """The quick way knows programs that cannot leave: with a key, this one can."""
    monkeypatch.delenv("OPENAI_API_KEY")
    assert process("run", "a.rtfs").communicate(timeout=60)[1] == b""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", NOBODY)
    assert b"hint[E0709]" in process("run", "a.rtfs").communicate(timeout=60)[1]
