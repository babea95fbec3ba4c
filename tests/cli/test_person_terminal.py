"""Questions of programs at a terminal: `rtfs run` on a pseudo-terminal of its own, interrupted and typed ahead of."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time

import pytest

pytest.importorskip("termios", reason="pseudo-terminals are Unix's")

import pty

pytestmark = pytest.mark.needs("rtfs-capability-standard")

WAIT = 30
START = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from rtfs_framework.cli.main import main
sys.argv[1:] = ["run", "--trust", "ask.rtfs"]
main()
"""
CONFIG = '[security]\ngrant = ["ccos.user.ask"]\n'


class Terminal:
    """A process with a terminal."""

    def __init__(self, folder) -> None:
        self.master, slave = pty.openpty()
        env = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", START], stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=env,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def wait(self, text: str) -> None:
        deadline = time.monotonic() + WAIT
        while text not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} was not shown; seen: {self.seen!r}"
            if select.select([self.master], [], [], min(left, 0.5))[0]:
                self.seen += self._read()

    def _read(self) -> str:
        try:
            return os.read(self.master, 65536).decode("utf-8", "replace")
        except OSError:
            raise AssertionError(f"the process has ended; seen: {self.seen!r}") from None

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def begun(folder):
    """Return a function that runs a program at a terminal."""
    made = []

    def begin(text):
        (folder / "delegation.toml").write_text(CONFIG, encoding="utf-8")
        (folder / "ask.rtfs").write_text(text, encoding="utf-8")
        made.append(Terminal(folder))
        return made[-1]

    yield begin
    for each in made:
        each.close()


def test_ctrl_c_at_a_question_ends_the_process(begun):
    terminal = begun('(call :ccos.user.ask "Name?")')
    terminal.wait("Name? ")
    terminal.type("\x03")
    terminal.wait("interrupted")
    assert terminal.process.wait(WAIT) == 130


def test_a_branch_that_fails_lets_nobody_wait_for_the_line_of_another(begun, rtfs):
    terminal = begun('(step-parallel (do (host/wait-for :go) (/ 1 0)) (call :ccos.user.ask "Name?"))')
    terminal.wait("Name? ")
    assert rtfs("runs", "signal", "last", "go", "1").code == 0
    terminal.wait("DivisionByZero")
    assert terminal.process.wait(WAIT) == 1


def test_what_was_typed_before_a_question_is_no_answer(begun):
    terminal = begun('(vector (call :ccos.user.ask "One?") (call :ccos.user.ask "Two?"))')
    terminal.type("early\n")
    terminal.wait("One? ")
    terminal.type("first\nahead\n")
    terminal.wait("Two? ")
    terminal.type("second\n")
    terminal.wait('["first" "second"]')
    assert terminal.process.wait(WAIT) == 0
