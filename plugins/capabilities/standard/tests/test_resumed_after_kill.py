"""A run that read the clock, drew a number, asked a person and fetched a page, killed and gone on with elsewhere.

The first process has a terminal, in which the question is asked and answered, and a pipe as its standard input, which
it leaves alone. It dies by SIGKILL after all four. Another one goes on, without any terminal.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from rtfs_framework.api import write
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.journal.outside import tell
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.orchestrator.session import Session

pytest.importorskip("termios", reason="pseudo-terminals are Unix's")

import fcntl
import pty
import termios

pytestmark = [pytest.mark.needs("rtfs-capability-http"), pytest.mark.skipif(not hasattr(os, "fork"), reason="Unix's")]

PROGRAM = """
(let [now (current-timestamp)
      drawn (random 1000000000)
      who (call :ccos.user.ask "Na\\u001b[8mme?" "nobody")
      page (:body (call :ccos.network.http-fetch "URL"))]
  (log :info [now drawn who page])
  (host/wait-for :go)
  [now drawn who page])
"""
CONFIG = """
[security]
grant = ["ccos.system.current-timestamp", "ccos.random", "ccos.user.ask", "ccos.io.log",
         { id = "http.fetch", hosts = ["127.0.0.1:PORT"], schemes = ["http"], private = ["127.0.0.1"] }]
"""
START = """
import fcntl, sys, termios
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
from rtfs_framework.cli.main import main
sys.argv[1:] = ["run", "once.rtfs", "--config", "delegation.toml"]
main()
"""
SECONDS = 60.0


@pytest.fixture
def pages():
    """Return a server of this machine whose pages are numbered, and which counts them."""

    class Pages(BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self):
            Pages.asked += 1
            body = f"page {Pages.asked}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        server.handler = Pages
        yield server
        server.shutdown()
        serving.join()


class Terminal:
    """A process with a terminal as its stderr, and a pipe as its standard input."""

    def __init__(self, folder):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x28\x00\x78\x00\x00\x00\x00\x00")
        env = {**os.environ, "RTFS_HOME": str(folder), "NO_COLOR": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=slave,
            cwd=folder,
            env=env,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = b""

    def until(self, words):
        while words not in self.seen:
            ready, _, _ = select.select([self.master], [], [], SECONDS)
            assert ready, f"waited for {words!r}, saw {self.seen!r}"
            self.seen += os.read(self.master, 4096)

    def type(self, line):
        os.write(self.master, line)

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        assert self.process.wait(SECONDS) == -signal.SIGKILL
        self.process.stdin.close()
        os.close(self.master)


@pytest.mark.slow  # two processes
def test_the_value_is_the_same_and_nothing_is_asked_twice(tmp_path, pages):
    port = str(pages.server_address[1])
    (tmp_path / "once.rtfs").write_text(PROGRAM.replace("URL", f"http://127.0.0.1:{port}/"), encoding="utf-8")
    (tmp_path / "delegation.toml").write_text(CONFIG.replace("PORT", port), encoding="utf-8")
    first = Terminal(tmp_path)
    try:
        first.process.stdin.write(b"data, and no answer\n")
        first.process.stdin.flush()
        first.until(b"[nobody] ")
        assert b"Na\\u001b[8mme? [nobody] " in first.seen, "what would steer the terminal is shown"
        first.type(b"Ada\n")
        first.until(b"info: [")
        first.until(b'"page 1"]')
    finally:
        first.kill()
    logged = first.seen.decode().split("info: ")[1].splitlines()[0]
    assert pages.handler.asked == 1

    def nobody(*_):
        raise AssertionError("nobody is asked again")

    where = {"config_path": tmp_path / "delegation.toml", "environ": {"RTFS_HOME": str(tmp_path)}}
    with Session.open(**where, answerer=nobody) as session:
        (run,) = (each.id for each in query.list_runs(session.host.journal.path))
        tell(session.host.journal, run, "signalled", {"name": "go"}, value_text(True))
        value = session.resume(Resuming(run=run)).value
    assert write(value) == logged
    assert '"Ada" "page 1"]' in logged
    assert pages.handler.asked == 1
