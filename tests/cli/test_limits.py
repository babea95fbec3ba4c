"""Limits on the command line: the options, `[limits]`, and what is said of a run that a limit ended."""

from __future__ import annotations

import pytest

ENDLESS = "(loop [] (recur))"
OPTIONS = {
    ("--max-steps", "1000"): (ENDLESS, "steps", 1000),
    ("--timeout", "0.05"): (ENDLESS, "seconds", 0.05),
    ("--max-memory", "2M"): ("(loop [v [] n 0] (recur (conj v [n]) (inc n)))", "memory", 2 << 20),
    ("--max-depth", "100"): ("((fn f [n] (+ 1 (f n))) 1)", "depth", 100),
}


@pytest.mark.parametrize("options", OPTIONS)
def test_an_option_ends_the_run_with_a_diagnostic_that_names_it(rtfs, options) -> None:
    text, name, bound = OPTIONS[options]
    result = rtfs("eval", *options, text)
    assert result.code == 1
    assert result.err.startswith("<eval>:1:")
    assert "error[E0520]: LimitError: " in result.err
    assert f"help: make the program do less, or raise the limit: {options[0]}, or {name} in [limits]" in result.err
    told = rtfs("eval", "--json", *options, text).data["errors"][0]
    assert (told["code"], told["limit"], told["bound"], told["line"]) == ("E0520", name, bound, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--max-steps", "0"), "at least 1"),
        (("--max-steps", "many"), "neither a number nor off"),
        (("--max-memory", "5"), "at least"),
        (("--max-memory", "5KB"), "at least"),
        (("--max-memory", "64TB"), "'64TB' is neither a size (1048576, 512M, 2G) nor off"),
        (("--max-memory", "MB"), "neither a size"),
        (("--timeout", "-1"), "at least 0"),
    ],
)
def test_a_bound_that_makes_no_sense_is_refused(rtfs, options, said) -> None:
    result = rtfs("eval", *options, "1")
    assert result.code == 2
    assert said in result.err


@pytest.mark.parametrize("size", ["67108864", "65536k", "64M", "64MB", "64mb", " 64M "])
def test_a_size_may_have_a_unit(rtfs, size) -> None:
    told = rtfs("eval", "--json", "--max-memory", size, "(count (repeat 9999999 [1]))").data["errors"][0]
    assert (told["limit"], told["bound"]) == ("memory", 64 << 20)


def test_an_option_overrules_the_file_and_off_switches_a_limit_off(rtfs, folder) -> None:
    (folder / "delegation.toml").write_text("[limits]\nsteps = 10\n", encoding="utf-8")
    (folder / "count.rtfs").write_text("(loop [i 0] (if (< i 100) (recur (inc i)) i))", encoding="utf-8")
    assert "steps in [limits]" in rtfs("run", "count.rtfs").err
    assert rtfs("run", "count.rtfs", "--max-steps", "off").out == "100\n"
    assert rtfs("run", "count.rtfs", "--max-steps", "101").out == "100\n"


def test_the_settings_show_the_limits_and_where_they_come_from(rtfs, folder, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_TRUST", "1")
    (folder / "delegation.toml").write_text('[limits]\nsteps = 10\nmemory = "off"\n', encoding="utf-8")
    shown = {line.split("=")[0].strip(): line for line in rtfs("config", "show").lines if line.startswith("limits.")}
    assert "= 10 " in shown["limits.steps"]
    assert "delegation.toml:2:1" in shown["limits.steps"]
    assert '= "off"' in shown["limits.memory"]
    assert "default" in shown["limits.depth"]


def test_a_conversation_goes_on_after_a_limit(rtfs) -> None:
    result = rtfs("repl", "--max-steps", "1000", stdin=f"{ENDLESS}\n(+ 1 2)\n")
    assert "more than 1000 steps" in result.err
    assert result.out == "3\n"


DEEP = "(do " * 250 + "1" + ")" * 250
NESTED = {
    ("run", "deep.rtfs"): "1\n",
    ("check", "deep.rtfs"): "1 file checked",
    ("explain", "deep.rtfs"): "no call",
    ("fmt", "--check", "deep.rtfs"): "",
    ("expand", "deep.rtfs"): "(do",
    ("ir", "deep.rtfs"): "1",
    ("eval", DEEP): "1\n",
}


@pytest.mark.parametrize("words", NESTED)
def test_how_deep_texts_nest_is_an_option_and_a_key_for_every_command_that_reads(
    rtfs, folder, words, monkeypatch
) -> None:
    (folder / "deep.rtfs").write_text(f"{DEEP}\n", encoding="utf-8")
    refused = rtfs(*words)
    assert refused.code == 1
    assert "error[E0107]: nested deeper than 200 levels" in refused.err + refused.out
    assert "help: name the inner parts, or let the host read deeper (--max-nesting" in refused.err + refused.out
    asked = rtfs(words[0], "--max-nesting", "300", *words[1:])
    assert "E0107" not in asked.err + asked.out
    assert asked.out.startswith(NESTED[words])
    (folder / "delegation.toml").write_text("[limits]\nnesting = 300\n", encoding="utf-8")
    assert "E0107" in rtfs(*words).err + rtfs(*words).out  # nobody has trusted it
    monkeypatch.setenv("RTFS_TRUST", "1")
    assert rtfs(*words).out == asked.out


def test_a_conversation_reads_as_deep_as_asked(rtfs) -> None:
    assert "E0107" in rtfs("repl", stdin=f"{DEEP}\n").err
    assert rtfs("repl", "--max-nesting", "300", stdin=f"{DEEP}\n").out == "1\n"


@pytest.mark.parametrize("value", ["0", "1001", "off"])
def test_nesting_cannot_be_more_than_is_safe(rtfs, folder, value) -> None:
    assert rtfs("eval", "--max-nesting", value, "1").code == 2
    written = '"off"' if value == "off" else value
    (folder / "delegation.toml").write_text(f"[limits]\nnesting = {written}\n", encoding="utf-8")
    result = rtfs("eval", "1")
    assert result.code == 1
    assert "delegation.toml:2:11: error[E070" in result.err


def test_a_broken_configuration_does_not_stop_the_formatter(rtfs, folder) -> None:
    (folder / "one.rtfs").write_text("(do   1)\n", encoding="utf-8")
    (folder / "delegation.toml").write_text("[limits\n", encoding="utf-8")
    assert rtfs("fmt", "one.rtfs").code == 0
    (folder / "delegation.toml").write_text('[limits]\nnesting = "deep"\n', encoding="utf-8")
    assert rtfs("fmt", "one.rtfs").code == 0
