"""Several processes and one dead server: what one finds out the others know, also when it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from rtfs_framework.testing.openai_server import Fail, Hang, OpenAIServer

pytestmark = [pytest.mark.slow, pytest.mark.needs("rtfs-provider-openai")]

CONFIG = """
[delegation.remote_providers.big]
provider = "openai"
endpoint = "{url}"
model = "m"
timeout = "20s"
[health]
open_for = "1 h"
open_for_most = "2 h"
"""
PROGRAM = """
(defn ^:delegation :remote "big" answer "Answer." [text :string] : :string "own body")
(defn one [text] (try (answer text) (catch HostError e nil)))
(defn many [who n] (loop [i 0] (if (< i n) (do (one (str who " " i)) (recur (inc i))) i)))
"""
WORKER = """
import sys
from pathlib import Path
from rtfs_framework.orchestrator.session import Session
with Session.open(config_path=Path(sys.argv[1]), journal=False) as session:
    program = session.load(sys.argv[2])
    print("ready", flush=True)
    sys.stdin.readline()
    print(program.call("many", (sys.argv[3], int(sys.argv[4]))).value, flush=True)
"""


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a process, which waits for a line before it asks so many questions."""
    begun = []

    def begin(server, who, questions=30):
        config = tmp_path / "delegation.toml"
        config.write_text(CONFIG.format(url=server.url), encoding="utf-8")
        words = [sys.executable, "-c", WORKER, str(config), PROGRAM, who, str(questions)]
        environ = {**os.environ, "RTFS_HOME": str(tmp_path / "home")}
        made = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)
        begun.append(made)
        assert made.stdout.readline() == "ready\n"
        return made

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def go(process):
    process.stdin.write("go\n")
    process.stdin.flush()


def test_what_four_processes_find_out_a_fifth_knows(start):
    with OpenAIServer(then=Fail(503)) as server:
        crew = [start(server, f"process {number}") for number in range(4)]
        for process in crew:
            go(process)
        assert [process.communicate(timeout=50)[0] for process in crew] == ["30\n"] * 4
        asked = Counter(request.prompt for request in server.requests)
        assert len(asked) <= 4 * 5  # each may find out by itself, and none goes on after that
        before = len(server.requests)
        fifth = start(server, "process 5")
        go(fifth)
        assert fifth.communicate(timeout=50)[0] == "30\n"
        assert len(server.requests) == before


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_process_that_is_killed_leaves_what_it_knew_and_a_sound_file(start):
    """It is killed while a request is under way, one failure before its breaker would have opened."""
    answers = iter([Fail(503)] * 4)
    with OpenAIServer(then=lambda _: next(answers, Hang())) as server:
        first = start(server, "process 1")
        go(first)
        while len(server.requests) < 5:
            assert first.poll() is None
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        answers = iter([Fail(503)] * 100)
        second = start(server, "process 2")
        go(second)
        assert second.communicate(timeout=50)[0] == "30\n"
        assert len(server.requests) == 6  # four failures were known: one more was enough
