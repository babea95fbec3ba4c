"""`rtfs config trust`, `--trust`, RTFS_TRUST and what is said of a configuration that nobody trusts."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.lang.visible import visible_line

WIDE = '[security]\nlevel = "full"\n[security.context]\nregion = "eu"\n'


@pytest.fixture
def repo(folder):
    """A folder whose configuration gives programs `region`."""
    (folder / "delegation.toml").write_text(WIDE, encoding="utf-8")
    (folder / "where.rtfs").write_text("(str region)\n", encoding="utf-8")
    return folder


def test_it_is_ignored_and_said_once(rtfs, repo) -> None:
    result = rtfs("check", "where.rtfs", "pure.rtfs")
    assert result.err.count("warning[E0715]") == 1
    named = result.err.partition("ignored in it: ")[2].splitlines()[0].split(", ")
    assert sorted(named) == ["security.context.region", "security.level"]
    assert f"rtfs config trust {repo / 'delegation.toml'}" in result.err
    assert "where.rtfs:1:6: error[E0203]" in result.out
    problems = rtfs("config", "show", "--json").data["problems"]
    assert [(each["code"], each["severity"]) for each in problems] == [("E0715", "warning")]


@pytest.mark.parametrize("name", [None, "delegation.toml", "."])
def test_it_is_trusted_until_it_changes(rtfs, repo, name) -> None:
    told = rtfs("config", "trust", *([name] if name else []))
    assert told.code == 0
    assert f"trusted: {repo / 'delegation.toml'} (sha256 " in told.lines[0]
    assert '  security.level = "full"' in told.lines
    result = rtfs("run", "where.rtfs")
    assert (result.out, result.err) == ('"eu"\n', "")
    (repo / "delegation.toml").write_text(WIDE + "# more\n", encoding="utf-8")
    again = rtfs("run", "where.rtfs")
    assert again.code == 1
    assert "is not trusted, for it was changed since you trusted it; ignored" in again.err


def test_it_can_be_listed_and_revoked(rtfs, repo) -> None:
    assert rtfs("config", "trust", "--list").out == "no configuration is trusted\n"
    rtfs("config", "trust")
    path = str(repo / "delegation.toml")
    listed = rtfs("config", "trust", "--list")
    assert "unchanged" in listed.out
    assert listed.out.rstrip().endswith(path)
    (row,) = rtfs("config", "trust", "--list", "--json").data["trusted"]
    assert (row["file"], row["state"], len(row["digest"])) == (path, "unchanged", 64)
    (repo / "delegation.toml").write_text("", encoding="utf-8")
    assert "changed" in rtfs("config", "trust", "--list").out
    (repo / "delegation.toml").unlink()
    assert "gone" in rtfs("config", "trust", "--list").out
    assert rtfs("config", "trust", "--revoke", ".", "--json").data == {"file": path, "revoked": 1}
    assert rtfs("config", "trust", "--revoke", ".").out == f"was not trusted: {path}\n"
    assert rtfs("config", "trust", "--list", "--json").data == {"trusted": []}


@pytest.mark.parametrize(
    "words",
    [("run", "where.rtfs"), ("eval", "(str region)"), ("repl",), ("check", "where.rtfs")],
)
def test_a_flag_or_a_variable_trusts_it_this_time(rtfs, repo, monkeypatch, words) -> None:
    stdin = "(str region)\n"
    assert "E0203" in (asked := rtfs(*words, stdin=stdin)).err + asked.out
    flagged = rtfs(*words, "--trust", stdin=stdin)
    assert (flagged.code, flagged.err) == (0, "")
    monkeypatch.setenv("RTFS_TRUST", "1")
    assert rtfs(*words, stdin=stdin).out == flagged.out
    monkeypatch.delenv("RTFS_TRUST")
    assert "E0715" in rtfs(*words, stdin=stdin).err  # nothing was remembered


def test_what_must_not_be_trusted(rtfs, repo) -> None:
    assert "error[E0901]: no such configuration: nope.toml" in rtfs("config", "trust", "nope.toml").err
    (repo / "bad.toml").write_text("[security\n", encoding="utf-8")
    assert "error[E0701]" in rtfs("config", "trust", "bad.toml").err
    (repo / "link.toml").symlink_to("delegation.toml")
    assert "error[E0716]" in rtfs("config", "trust", "link.toml").err
    (repo / "delegation.toml").chmod(0o666)
    refused = rtfs("config", "trust")
    assert refused.code == 1
    assert "others may write it" in refused.err
    assert "chmod go-w" in refused.err
    assert rtfs("config", "trust", "--list", "--revoke").code == 2
    assert rtfs("config", "trust", "--list").out == "no configuration is trusted\n"


def test_nothing_to_trust_here(rtfs) -> None:
    result = rtfs("config", "trust")
    assert result.code == 2
    assert "there is no delegation.toml here" in result.err


def test_a_file_is_checked_as_if_it_were_trusted(rtfs, repo) -> None:
    text = "[caches.l9]\nnonsense = 1\n[delegation.remote_providers.x]\nprovider = 'no'\n"
    (repo / "delegation.toml").write_text(text, encoding="utf-8")
    result = rtfs("config", "check")
    assert result.code == 1
    assert result.err.count("error[E070") == 2


def test_names_that_would_move_the_cursor_are_shown_as_text(rtfs, repo) -> None:
    text = '[security.context]\n"\\u001b[2J\\u202ered" = 1\n'
    (repo / "delegation.toml").write_text(text, encoding="utf-8")
    for words in (("config", "show"), ("config", "trust"), ("eval", "1"), ("config", "show")):
        result = rtfs(*words)
        assert "\x1b" not in result.out + result.err
        assert "\u202e" not in result.out + result.err


def test_names_are_shown_as_everywhere_else(rtfs, repo) -> None:
    text = '[security.context]\n"line\\n\\u009b\u00a0end" = 1\n'
    (repo / "delegation.toml").write_text(text, encoding="utf-8")
    shown = visible_line("line\n\x9b\xa0end")
    assert shown == "line\\n\\u009b\xa0end"
    assert shown in rtfs("eval", "1").err
    assert shown in rtfs("config", "trust").out


def test_the_warning_names_a_few_and_counts_the_rest(rtfs, repo) -> None:
    text = "[security.context]\n" + "".join(f"key{number} = 1\n" for number in range(30)) + f"{'k' * 500} = 1\n"
    (repo / "delegation.toml").write_text(text, encoding="utf-8")
    err = rtfs("eval", "1").err
    assert "key7 and 23 more" in err
    assert len(err) < 1500


def test_settings_say_which_file_they_are_from_and_whether_it_is_trusted(rtfs, repo, monkeypatch) -> None:
    (repo / "home").mkdir()
    (repo / "home" / "delegation.toml").write_text("[limits]\ndepth = 50\nsteps = 9\n", encoding="utf-8")
    (repo / "delegation.toml").write_text(WIDE + "[limits]\nsteps = 5\n", encoding="utf-8")
    monkeypatch.setenv("RTFS_LIMITS__ITEMS", "3000")
    data = rtfs("config", "show", "--json").data
    assert [(each["kind"], each["trusted"]) for each in data["files"]] == [("own", True), ("found", False)]
    rows = {row["key"]: (row["value"], row["trusted"], row["source"]) for row in data["settings"]}
    assert rows["limits.depth"] == (50, True, f"{repo / 'home' / 'delegation.toml'}:2:1")
    assert rows["limits.steps"] == (5, False, f"{repo / 'delegation.toml'}:6:1 (not trusted)")
    assert rows["limits.items"] == (3000, None, "variable RTFS_LIMITS__ITEMS")
    assert rows["limits.bits"][1:] == (None, "default")
    assert rows["security.level"] == ("controlled", None, "default")
    text = rtfs("config", "show").out
    assert f"# {repo / 'delegation.toml'} (not trusted" in text


def test_commands_that_read_no_host_do_not_read_deeper_for_a_file_that_nobody_trusts(rtfs, repo, monkeypatch) -> None:
    (repo / "deep.rtfs").write_text("(do " * 250 + "1" + ")" * 250 + "\n", encoding="utf-8")
    (repo / "delegation.toml").write_text("[limits]\nnesting = 300\n", encoding="utf-8")
    assert "E0107" in rtfs("fmt", "--check", "deep.rtfs").err
    monkeypatch.setenv("RTFS_LIMITS__NESTING", "300")
    assert "E0107" not in rtfs("fmt", "--check", "deep.rtfs").err


def test_what_is_run_again_at_once_never_passes_over_a_configuration(rtfs, folder, process) -> None:
    def again():
        child = process("eval", "(+ 20 22)")
        out, err = child.communicate(timeout=120)
        return out.decode().strip(), err.decode()

    assert again() == again() == ("42", "")
    (folder / "delegation.toml").write_text(WIDE, encoding="utf-8")
    for _ in range(3):
        assert "E0715" in again()[1]
    assert json.loads(rtfs("cache", "stats", "--json").out)["quick"] <= 1
    rtfs("config", "trust")
    assert again() == again() == ("42", "")
    rtfs("config", "trust", "--revoke")
    assert "E0715" in again()[1]
    (folder / "delegation.toml").chmod(0o666)
    assert "E0716" in again()[1]
