"""`rtfs repl` at a terminal: a process on a pseudo-terminal of its own, and the parts of its line editor."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time

import pytest

pytest.importorskip("termios", reason="pseudo-terminals are Unix's")

import fcntl
import pty
import struct
import termios

from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from rtfs_framework.cli.repl.colours import pieces
from rtfs_framework.cli.repl.completion import RtfsCompleter
from rtfs_framework.cli.repl.hosts import NoHost
from rtfs_framework.cli.repl.shell import Shell
from rtfs_framework.cli.repl.talk import Talk, is_incomplete
from rtfs_framework.cli.repl.terminal import indentation, prompt_session

WAIT = 30
START = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from rtfs_framework.cli.main import main
sys.argv[1:] = ["repl"]
main()
"""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()=>][A-Z0-9]?")


class Terminal:
    """A process with a terminal; what it shows is read without its escapes."""

    def __init__(self, folder) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        env = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "NO_COLOR": "1"}
        command = [sys.executable, "-c", START]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=env, start_new_session=True
        )
        os.close(slave)
        self.seen = ""

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def wait(self, text: str) -> str:
        """Wait until a text is shown; return what came before, and go on after it."""
        deadline = time.monotonic() + WAIT
        while text not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} was not shown; seen: {self.seen!r}"
            if select.select([self.master], [], [], min(left, 0.5))[0]:
                self.seen += _ESCAPES.sub("", os.read(self.master, 65536).decode("utf-8", "replace"))
        before, _, self.seen = self.seen.partition(text)
        return before

    def enter(self, line: str, shown: str) -> None:
        """Type a line; wait for what it shows and for the next prompt (what is typed before that may get lost)."""
        self.type(f"{line}\r")
        self.wait(shown)
        self.wait("rtfs> ")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal(folder):
    made = Terminal(folder)
    made.wait("rtfs> ")
    yield made
    made.close()


def test_a_conversation(terminal, folder):
    terminal.enter("(+ 40 2000)", "2040")
    terminal.type("(defn f [x]\r")
    terminal.wait("....>")
    terminal.enter("(* x 1111))", "#<function>")
    terminal.enter("(f 3)", "3333")
    terminal.enter("(/ 7 0)", "DivisionByZero")
    terminal.type("\x04")
    assert terminal.process.wait(WAIT) == 0
    history = (folder / "home" / "repl_history").read_text(encoding="utf-8")
    assert "+(f 3)" in history
    assert "Traceback" not in terminal.seen


def test_ctrl_c_ends_a_run_or_an_input_and_nothing_else(terminal):
    terminal.enter("(def kept (+ 5000 151))", "5151")
    terminal.type("(loop [i 0] (recur (inc i)))\r")
    terminal.wait("recur (inc i)))")
    time.sleep(1.0)
    terminal.type("\x03")
    terminal.wait("interrupted")
    terminal.wait("rtfs> ")
    terminal.type("(never finished")
    terminal.wait("finished")
    terminal.type("\x03")
    terminal.wait("rtfs> ")
    terminal.enter("(+ kept 1000)", "6151")
    assert terminal.process.poll() is None


def test_f1_shows_what_is_known_of_a_word(terminal):
    terminal.type("(reverse")
    terminal.wait("reverse")
    terminal.type("\x1bOP")
    terminal.wait("(reverse collection)")
    assert terminal.process.poll() is None


@pytest.mark.parametrize("text", ["(", "(foo [1 {", '(str "a)', "#| (a)", '"x\n', "#(inc %"])
def test_open_inputs_go_on(text):
    assert is_incomplete(text)


@pytest.mark.parametrize("text", ["", "1", "(a)", ")", "(]", '"a"', "; (", "'", "#| ( |#"])
def test_closed_or_broken_inputs_do_not(text):
    assert not is_incomplete(text)


@pytest.mark.parametrize(
    ("text", "columns"), [("(defn f [x]", 2), ("(let [a 1", 6), ("(f)", 0), ('(a "(', 0), ("  {", 3)]
)
def test_the_next_line_is_indented_under_what_is_open(text, columns):
    assert indentation(text) == columns


def completed(talk: Talk, text: str) -> list[str]:
    return [each.display_text for each in RtfsCompleter(talk).get_completions(Document(text), CompleteEvent())]


@pytest.fixture
def talk():
    made = Talk(NoHost.open, lambda _found: None)
    list(made.say("(defn remember [x] x) (defmacro remix [x] x)"))
    return made


def test_completion_knows_the_language_and_the_conversation(talk):
    assert completed(talk, "(rem")[:3] == ["remember", "remix", "rem"]
    assert "when-let" in completed(talk, "(when-")
    assert "defmacro" in completed(talk, "(defm")
    assert completed(talk, ":h") == [":help", ":history"]
    assert completed(talk, ":doc redu") == completed(talk, "(redu")
    assert completed(talk, "(") == []


def test_load_completes_files(talk, folder):
    assert "hello.rtfs" in completed(talk, ":load hel")


def test_colours_lose_no_character_and_never_fail():
    text = '(defn f "doc" [x & r] ; c\n  #| b |# (map inc [1 -2.5 ##Inf nil]) :k @c \'q ~x `(a) "open'
    found = list(pieces(text))
    assert "".join(piece for _, piece in found) == text
    kinds = {piece: what for what, piece in found}
    assert [kinds[word] for word in ("defn", "map", ":k", "-2.5", "nil", '"doc"', "; c", "#| b |#")] == [
        "form", "function", "keyword", "number", "literal", "string", "comment", "comment",
    ]  # fmt: skip


def test_without_a_place_for_history_the_editor_works(folder, talk, monkeypatch):
    (folder / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("RTFS_HOME", str(folder / "file" / "home"))
    with create_pipe_input() as keys:
        keys.send_text("(+ 1\r2)\r")
        assert prompt_session(Shell(talk), input=keys, output=DummyOutput()).prompt() == "(+ 1\n  2)"
