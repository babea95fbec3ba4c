"""Of equal requests in many processes one is paid; when the one that asks dies, the next takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from rtfs_framework.testing.openai_server import Late, OpenAIServer, say_json

pytestmark = [
    pytest.mark.slow,  # processes that import everything
    pytest.mark.timeout(300),
    pytest.mark.needs("rtfs-cache-l2", "rtfs-provider-openai"),
    pytest.mark.skipif(os.name != "posix", reason="processes are killed by POSIX signals"),
]

CHILD = """
import os, sys
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
with Session.open(config_path=sys.argv[1], environ=dict(os.environ)) as session:
    print("ready", flush=True)
    sys.stdin.readline()
    result = session.run(Source("one.rtfs", sys.argv[2]))
    print(result.value, result.calls[0].cache, flush=True)
"""
TABLE = """
[delegation.remote_providers.m]
provider = 'openai'
model = 'm'
api_key_env = ''
reuse = 'always'
"""
PROGRAM = '(defn ^:delegation :remote "m" f "Ask." [x :string] :string "own") (f "{}")'


@pytest.fixture
def children(tmp_path):
    """Return a function that starts processes which ask a server for the same; all are ended."""
    started = []

    def start(server, *asked):
        config = tmp_path / "delegation.toml"
        table = (
            "[delegation.remote_providers.m]\nprovider = 'openai'\nmodel = 'm'\napi_key_env = ''\nreuse = 'always'\n"
        )
        config.write_text(f"{table}endpoint = '{server.url}'\n", encoding="utf-8")
        environ = {**os.environ, "RTFS_HOME": str(tmp_path), "RTFS_PLUGINS": "l2,openai"}
        made = [
            subprocess.Popen(
                [sys.executable, "-c", CHILD, str(config), PROGRAM.format(each)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environ,
                text=True,
            )
            for each in asked
        ]
        started.extend(made)
        for each in made:
            assert each.stdout.readline() == "ready\n"
        return made

    yield start
    for each in started:
        each.kill()
        each.communicate()


def go(*processes):
    for each in processes:
        each.stdin.write("go\n")
        each.stdin.flush()


def said(process):
    return process.communicate(timeout=200)[0].strip()


def test_of_four_processes_one_pays(children):
    with OpenAIServer(then=Late(1.0, say_json({"value": "paid"}))) as server:
        processes = children(server, *"aaaa")
        go(*processes)
        answers = sorted(said(each) for each in processes)
        assert len(server.requests) == 1
    assert answers[-1] == "paid l2 miss"
    assert set(answers[:-1]) <= {"paid in flight", "paid l2 hit"}


def test_other_requests_do_not_wait_for_it(children):
    with OpenAIServer(then=Late(0.3, say_json({"value": "paid"}))) as server:
        processes = children(server, "a", "b")
        go(*processes)
        assert [said(each) for each in processes] == ["paid l2 miss"] * 2
        assert len(server.requests) == 2


def test_when_the_asking_one_is_killed_the_next_takes_over(children):
    with OpenAIServer(then=Late(2.0, say_json({"value": "paid"}))) as server:
        first, *others = children(server, *"aaaa")
        go(first)
        _until(lambda: len(server.requests) == 1)
        go(*others)
        time.sleep(0.3)
        first.send_signal(signal.SIGKILL)
        answers = sorted(said(each) for each in others)
        assert len(server.requests) == 2
    assert answers[-1] == "paid l2 miss"
    assert set(answers[:-1]) <= {"paid in flight", "paid l2 hit"}


def _until(reached):
    for _ in range(1_000):
        if reached():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come")
