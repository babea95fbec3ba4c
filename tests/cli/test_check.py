"""`rtfs check`: every mistake with its code, place and way out."""

from __future__ import annotations

import pytest

# The program, the place, the code, a word of the message, a word of the way out.
REFUSED = {
    "unbalanced at the end": ("(defn main [x]\n  (+ x 1)", "1:1", "E0101", "never closed", "add ')'"),
    "unknown symbol": ("(defn f [numbers] (reduce + nubers))", "1:29", "E0203", "nubers", "did you mean 'numbers'?"),
    "hint without id": ("(defn f ^:delegation :local-model [x] x)", "1:22", "E0110", "without a model id", '"id"'),
    "malformed hint": ("(defn f ^:delegation :localfoo [x] x)", "1:22", "E0110", ":localfoo", "did you mean ':local'?"),
    "two hints": (
        "(defn f ^:delegation :local ^:delegation :local [x] x)",
        "1:29",
        "E0111",
        "second delegation hint",
        "keep one",
    ),
    "unknown provider": ('(defn f ^:delegation :local-model "nope" [x] x)', "1:35", "E0712", "'nope'", "known:"),
}


@pytest.mark.parametrize(("text", "place", "code", "message", "way_out"), REFUSED.values(), ids=REFUSED)
def test_a_mistake(rtfs, folder, text: str, place: str, code: str, message: str, way_out: str) -> None:
    (folder / "bad.rtfs").write_text(text)
    for args in (("check", "bad.rtfs"), ("run", "bad.rtfs")):
        result = rtfs(*args)
        assert result.code == 1
        said = result.out + result.err
        assert f"bad.rtfs:{place}" in said
        assert f"error[{code}]" in said
        assert message in said
        assert way_out in said


def test_nothing_found(rtfs) -> None:
    result = rtfs("check", "pure.rtfs", "hello.rtfs")
    told = "pure.rtfs: main is pure\nhello.rtfs: main is pure\n2 files checked, nothing found\n"
    assert (result.code, result.out) == (0, told)


def test_all_mistakes_of_all_files(rtfs, folder) -> None:
    (folder / "one.rtfs").write_text("(defn f [x] (frobnicate x))\n(defn g [x] (twiddle x))")
    (folder / "two.rtfs").write_text("(+ 1")
    result = rtfs("check", "one.rtfs", "two.rtfs", "pure.rtfs")
    assert result.code == 1
    for place in ("one.rtfs:1:14", "one.rtfs:2:14", "two.rtfs:1:1"):
        assert place in result.out
    assert result.lines[-1] == "3 files checked, 3 errors, 0 warnings"


def test_a_refused_form_does_not_hide_unknown_names_elsewhere(rtfs, folder, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_TRUST", "1")
    text = "(defn f [x] (fooo x))\n(let [a 1 b] a)\n(defn g [x] (f 1 granted x))\n(cond 1)\n(defn h [y] (bazz y))\n"
    (folder / "a.rtfs").write_text(text)
    (folder / "delegation.toml").write_text("[security]\ncontext = { granted = 1 }\n")
    out = rtfs("check", "a.rtfs").out
    assert [row.split(": ")[:2] for row in out.splitlines() if row.startswith("a.rtfs:")] == [
        ["a.rtfs:1:14", "error[E0203]"],
        ["a.rtfs:2:11", "error[E0201]"],
        ["a.rtfs:4:1", "error[E0201]"],
        ["a.rtfs:5:14", "error[E0203]"],
    ]


def test_json(rtfs, folder) -> None:
    (folder / "bad.rtfs").write_text("(+ 1")
    result = rtfs("check", "bad.rtfs", "pure.rtfs", "--json")
    assert result.code == 1
    (found,) = result.data["diagnostics"]
    assert (found["code"], found["file"], found["line"], found["column"]) == ("E0101", "bad.rtfs", 1, 1)
    assert (result.data["errors"], result.data["files"]) == (1, 2)


def test_a_missing_file(rtfs) -> None:
    result = rtfs("check", "pur.rtfs")
    assert result.code == 2
    assert "did you mean 'pure.rtfs'?" in result.err


@pytest.mark.needs("rtfs-provider-openai")
def test_a_missing_key_is_a_warning_here_and_an_error_when_it_runs(rtfs, folder) -> None:
    text = '(defn f ^:delegation :remote "openai" [x : :string] : :string x)\n(defn main [x] (f x))'
    (folder / "far.rtfs").write_text(text)
    result = rtfs("check", "far.rtfs")
    assert result.code == 0
    assert "far.rtfs:1:1: warning[E0604]" in result.out
    assert "OPENAI_API_KEY is not set" in result.out
    assert "help: set it" in result.out
    assert rtfs("check", "far.rtfs", "--strict").code == 1
    ran = rtfs("run", "far.rtfs", "x")
    assert ran.code == 1
    assert "error[E0604]" in ran.err
    assert "OPENAI_API_KEY" in ran.err
    assert "far.rtfs:" in ran.err


def test_a_capability_that_nobody_offers_is_a_warning(rtfs, folder) -> None:
    (folder / "files.rtfs").write_text('(call :acme.read "x")')
    result = rtfs("check", "files.rtfs")
    assert result.code == 0
    assert "files.rtfs:1:1: warning[E0711]: the call of acme.read would fail" in result.out


def test_a_broken_configuration_stops_the_check(rtfs, folder) -> None:
    (folder / "delegation.toml").write_text("[delegation]\ndefault_traget = 'local-pure'\n")
    result = rtfs("check", "pure.rtfs")
    assert result.code == 1
    assert "delegation.toml:2:1: error[E0702]: unknown key 'default_traget'" in result.err
    assert "did you mean 'default_target'?" in result.err
