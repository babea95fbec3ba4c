"""A server as a process: its commands, what signals mean to it, and an end at which nothing is lost."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest
from click.testing import CliRunner

from rtfs_framework.cli.commands import serve
from rtfs_framework.orchestrator.config.load import load_config
from rtfs_framework.registry.load import load_catalog

RTFS = (sys.executable, "-m", "rtfs_framework.cli.main")
START = "from rtfs_framework.cli.main import main; main()"
SLOW = "(defn main [n] (loop [i 0] (if (< i n) (recur (inc i)) i)))"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def rtfs(home, *args):
    return subprocess.run(
        [sys.executable, "-c", START, *args],
        env={**os.environ, "RTFS_HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@contextmanager
def serving(home, *args, lame_duck=0.1):
    token = json.loads(rtfs(home, "serve", "token", "--name", "t", "--json").stdout)
    config = home / "serve.toml"
    table = f'[serve.tokens.t]\nsha256 = "{token["sha256"]}"\n'
    config.write_text(f"[limits]\nsteps = 'off'\n[serve]\nlame_duck = {lame_duck}\n{table}", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", START, "serve", "--config", str(config), "--port", "0", "--json", *args],
        env={**os.environ, "RTFS_HOME": str(home)},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    log = queue.Queue()
    reader = threading.Thread(target=lambda: [log.put(line) for line in process.stderr])
    reader.start()
    try:
        url = json.loads(process.stdout.readline())["url"]
        headers = {"Authorization": f"Bearer {token['token']}", "RTFS-Protocol": "1"}
        yield SimpleNamespace(url=url, headers=headers, process=process, config=config, log=log)
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
        process.stderr.close()


def logged(server, event):
    while True:
        said = json.loads(server.log.get(timeout=30))
        if said["event"] == event:
            return said


def test_a_configuration_is_taken_anew_and_a_faulty_one_is_refused(tmp_path, ask):
    with serving(tmp_path) as server:
        first = rtfs(tmp_path, "serve", "reload", "--json")
        assert json.loads(first.stdout) == {"generation": 2, "tokens": 1}
        good = server.config.read_text(encoding="utf-8")
        server.config.write_text(good + "[limits]\nsteps = 1\n", encoding="utf-8")
        refused = rtfs(tmp_path, "serve", "reload")
        assert refused.returncode == 1
        assert "serve.toml:" in refused.stderr
        assert "E0701" in refused.stderr
        assert "serve.toml:" in logged(server, "serve.reload_refused")["error"]
        assert ask(server, "(+ 1 2)").json()["value"] == "3"
        server.config.write_text(good.replace("[serve]", "[serve]\nbody = 2000"), encoding="utf-8")
        server.process.send_signal(signal.SIGHUP)
        assert logged(server, "serve.reloaded")["generation"] == 3
        assert ask(server, f'(count "{"x" * 3000}")').status_code == 413


def test_what_is_under_way_is_answered_when_it_is_told_to_end(tmp_path, ask):
    with serving(tmp_path, lame_duck=0.5) as server:
        answers = []
        slow = threading.Thread(target=lambda: answers.append(ask(server, SLOW, "[3000000]")))
        slow.start()
        while httpx.get(f"{server.url}/metrics", headers=server.headers).text.find("_running 1") < 0:
            pass
        server.process.send_signal(signal.SIGTERM)
        logged(server, "serve.ending")
        ready = httpx.get(f"{server.url}/readyz")
        while ready.status_code == 200:  # the loop looks ten times a second whether it is to end
            ready = httpx.get(f"{server.url}/readyz")
        assert ready.json() == {"status": "draining"}
        assert ready.headers["connection"] == "close"
        slow.join()
        assert answers[0].json()["value"] == "3000000"
        assert server.process.wait(timeout=20) == 0
        assert logged(server, "serve.ended")
        assert not list((tmp_path / "servers").iterdir())


def test_who_cannot_serve_says_why(tmp_path):
    (tmp_path / "empty.toml").write_text("[serve]\n", encoding="utf-8")
    made = rtfs(tmp_path, "serve", "--config", "empty.toml", "--port", "0")
    assert made.returncode == 2
    assert "E0925" in made.stderr
    assert "E0923" in rtfs(tmp_path, "serve", "reload").stderr
    (tmp_path / "token").write_text("short", encoding="utf-8")
    assert "E0925" in rtfs(tmp_path, "serve", "--token-file", "token", "--port", "0").stderr
    (tmp_path / "wrong.toml").write_text('[serve.tokens.x]\nsha256 = "abc"\ntenant = "no*"\n', encoding="utf-8")
    wrong = rtfs(tmp_path, "serve", "--config", "wrong.toml", "--port", "0")
    assert "wrong.toml:2:" in wrong.stderr
    assert "wrong.toml:3:" in wrong.stderr


def test_a_token_is_printed_with_its_table(tmp_path):
    made = rtfs(tmp_path, "serve", "token", "--tenant", "acme")
    lines = made.stdout.splitlines()
    assert lines[0].startswith('[serve.tokens."acme-')
    assert lines[1].startswith('sha256 = "')
    assert lines[2] == 'tenant = "acme"'
    assert "rtfs_" in made.stderr
    assert "rtfs_" not in made.stdout


def test_what_is_printed_for_a_token_loads_as_it_is(tmp_path):
    names = ("ci", 'a "quoted" one\x7f\\')
    more = (["--share", "16", "--agent", "ci"], ["--concurrency", "4"])
    made = [
        CliRunner().invoke(serve.token_command, ["--name", name, *each]) for name, each in zip(names, more, strict=True)
    ]
    config = tmp_path / "serve.toml"
    config.write_text("".join(each.stdout for each in made), encoding="utf-8")
    found = load_config(config, None, {}, load_catalog({}), lambda _: None).serve
    assert found.share == 16
    assert [(each.name, each.agent, each.concurrency) for each in found.tokens] == [
        (names[0], "ci", None),
        (names[1], "", 4),
    ]
