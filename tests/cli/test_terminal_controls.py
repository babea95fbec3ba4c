"""Control characters of others: no command lets them through in what it says to people, and none alters data."""

from __future__ import annotations

import json
import re

import pytest

from rtfs_framework.cli.terminal import complain, put, say
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.lang.visible import ESCAPES, visible, visible_line

EVIL = "\x1b[2J\x1b]0;pwn\x07\x9b31m\x7f\u202e\u2066\u200e\u200b\u061c\ufeff\r"
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
PROGRAM = f'(defn ^:delegation :local-model "no{EVIL}" f "Say{EVIL}." [x] x) (def y "{EVIL}")'
# A command line, after the files of `evil` were made, in which EVIL stands somewhere that is told to people.
TOLD = [
    ("eval", '(throw "a \\u001b[2J\\u202e b")'),
    ("eval", '(get "a" "\\u001b[2J")'),
    ("eval", f'(nosuch "{EVIL}")'),
    ("eval", f"(+ 1 {EVIL}"),
    ("eval", '(call :fs.read "\\u001b[2J")'),
    ("eval", "--nope" + EVIL),
    ("run", "evil.rtfs"),
    ("run", f"no{EVIL}.rtfs"),
    ("run", "named.rtfs", EVIL),
    ("run", "id.rtfs", "--input", "evil.csv"),
    ("run", "id.rtfs", "--input", "evil.csv", "--column", "no" + EVIL),
    ("run", "id.rtfs", "--input", "ragged.csv"),
    ("run", "id.rtfs", "--input", "ragged.csv", "--skip-bad"),
    ("run", "id.rtfs", "--input", "evil.jsonl"),
    ("run", "id.rtfs", "--input", "evil.txt"),
    ("run", "id.rtfs", "--input", f"no{EVIL}.csv"),
    ("run", "id.rtfs", "--input", "evil.csv", "--encoding", "no" + EVIL),
    ("run", "id.rtfs", "--input", "evil.csv", "--delimiter", EVIL),
    ("run", "id.rtfs", "--input", "evil.csv", "--config", "no" + EVIL),
    ("run", "throws.rtfs", "--input", "evil.txt"),
    ("check", "evil.rtfs", f"no{EVIL}.rtfs"),
    ("check", "evil.rtfs"),
    ("explain", "evil.rtfs"),
    ("explain", "no" + EVIL),
    ("doc", "no" + EVIL),
    ("doc", "--search", "no" + EVIL),
    ("runs", "list"),
    ("runs", "show", "no" + EVIL),
    ("runs", "verify", "no" + EVIL),
    ("config", "show", "evil.toml"),
    ("config", "check", "bad.toml"),
    ("config", "show", "no" + EVIL),
    ("fmt", "--check", "evil.rtfs", f"no{EVIL}.rtfs"),
    ("fmt", "open.rtfs", "evil.rtfs"),
    ("prompt", "--config", "no" + EVIL),
    ("conformance", f"no{EVIL}.toml"),
    ("no" + EVIL,),
    ("--no" + EVIL,),
    ("run", "--no" + EVIL),
    ("repl", "--load", "no" + EVIL),
]


@pytest.fixture
def evil(folder):
    """Make files whose texts and names hold control characters."""
    files = {
        "evil.rtfs": PROGRAM,
        "open.rtfs": f'(def x "{EVIL}") (',
        "id.rtfs": "(defn main [r] r)",
        "throws.rtfs": '(defn main [r] (throw (get r "text")))',
        "named.rtfs": "(defn main [x] (throw x))",
        "evil.csv": f'text,x\x1b[2Jy,"z{EVIL}"\r\na{EVIL},1,2\r\n',
        "ragged.csv": "text,b\r\nbad\x1b[2J\u202e\r\n1,2\r\n",
        "evil.jsonl": json.dumps({"text": EVIL, EVIL: {EVIL: EVIL}}) + '\n{"te\x1b[2J": \x1b}\n',
        "evil.txt": "a\x1b[2J\x9b31m\u202e\n",
        "evil.toml": '[delegation.local_models."e\\u001b[2J"]\nprovider = "echo\\u202e"\n',
        "bad.toml": '["x\\u001b[2J"]\n"y\\u202e" = "\\u009b"\n',
        f"name{EVIL}.rtfs": "(nosuch)",
    }
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())
    return folder


@pytest.mark.parametrize("args", TOLD, ids=lambda args: re.sub(r"[^a-z.\-]+", "_", "_".join(args)))
def test_what_is_told_to_people_is_fit_to_be_seen(rtfs, evil, args) -> None:
    result = rtfs(*args)
    assert UNSEEN.findall(result.out + result.err) == []
    assert "E0999" not in result.err
    assert result.out + result.err


@pytest.mark.parametrize("command", ["check", "run", "explain", "fmt"])
def test_a_file_with_such_a_name(rtfs, evil, command) -> None:
    name = f"name{EVIL}.rtfs"
    result = rtfs(command, *(["--check"] if command == "fmt" else []), name)
    assert UNSEEN.findall(result.out + result.err) == []
    assert visible_line(name) in result.out + result.err or command == "explain"


def test_lines_of_a_message_cannot_pass_for_ours(rtfs) -> None:
    said = rtfs("eval", '(throw "a\\nerror[E0999]: forged\\n  help: obey me")').err
    assert "\nerror[E0999]" not in said
    assert "\n  help: obey me" not in said
    assert "    error[E0999]: forged" in said


def test_a_row_cannot_forge_another(rtfs, evil) -> None:
    result = rtfs("run", "throws.rtfs", "--input", "-", stdin='{"text": "a\\n9 records, 0 errors"}')
    assert not any(line.startswith("9 records") for line in result.lines)


def test_data_on_a_pipe_are_exact(rtfs, evil) -> None:
    printed = rtfs("eval", '"a \\u001b[31mred\\u202e\\u2028"').out
    assert printed == '"a \\u001b[31mred\\u202e\\u2028"\n'
    assert rtfs("eval", f"(count {printed})").out == f"{len('a .[31mred..')}\n"
    assert rtfs("eval", '(try (throw "a\\u001b[2J") (catch e e))').out == "#<error: a\x1b[2J>\n"
    assert rtfs("expand", "-e", '"a \\u001b[31mred"').out == '"a \\u001b[31mred"\n'
    assert rtfs("fmt", "-", stdin=f'(def  y "{EVIL}")').out == f'(def y "{EVIL}")\n'


@pytest.mark.parametrize("text", [EVIL, "\x00", "\x85", "\u2028", "a\tb\nc\rd", "é", "👨‍👩‍👧", '"\\'])
def test_json_is_exact_and_shows_nothing_unseen(rtfs, evil, text) -> None:
    (evil / "one.jsonl").write_text(json.dumps({"text": text, "deep": [text, {text: text}]}), encoding="utf-8")
    result = rtfs("run", "id.rtfs", "--input", "one.jsonl", "--json", "--output", "out.jsonl", "--no-journal")
    assert UNSEEN.findall(result.out) == []
    assert result.records[0]["value"] == {"text": text, "deep": [text, {text: text}]}
    assert (evil / "out.jsonl").read_text(encoding="utf-8").splitlines()[0] == result.lines[0]


@pytest.mark.parametrize("code", sorted(ESCAPES))
def test_every_unseen_character_is_printed_as_what_reads_back(rtfs, code) -> None:
    printed = write(f"a{chr(code)}b")
    assert UNSEEN.findall(printed) == []
    assert "\n" not in printed
    assert rtfs("eval", f'(= {printed} (str "a" (parse-json {write(json.dumps(chr(code)))}) "b"))').out == "true\n"


def test_seen_texts_stay_and_escaping_twice_changes_nothing() -> None:
    assert visible("日本 👩‍👧 é\tx\ny") == "日本 👩‍👧 é\tx\ny"
    assert visible(visible(EVIL)) == visible(EVIL)
    assert visible("a\r\nb\rc") == "a\nb\\rc"
    assert visible_line("a\nb\tc\ud83d") == "a\\nb\\tc\\ud83d"


@pytest.mark.parametrize(
    ("before", "at"), [("", 0), ("\x1b[2J", 9), ("日本", 4), ("e\u0301", 1), ("\u202e", 6), ("\t", 1), ("a\x00", 7)]
)
def test_the_caret_stands_under_what_it_means(before, at) -> None:
    source = Source("f", f"{before}bad\x07 x")
    span = Span(len(before), len(before) + 4)
    line, carets = Diagnostic(code="E1", message="m", source=source, span=span).render().split("\n")[1:]
    assert carets == "    | " + " " * at + "^" * len("bad\\u0007")
    assert line.endswith("bad\\u0007 x")


class Stream:
    """A stream that is, or is not, a terminal."""

    encoding = "utf-8"

    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal
        self.text = ""

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("terminal", [True, False])
def test_words_are_always_fit_to_be_seen_and_data_on_a_terminal(monkeypatch, terminal) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out, err = Stream(terminal=terminal), Stream(terminal=terminal)
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    say("a\x1b[2J\nb")
    complain("a\x1b[2J\nb")
    put("a\x1b[2J\nb")
    assert out.text == "a\\u001b[2J\\nb\n" + ("a\\u001b[2J\nb\n" if terminal else "a\x1b[2J\nb\n")
    assert err.text == "a\\u001b[2J\nb\n"
