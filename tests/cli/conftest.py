"""What the tests of the command line share: `rtfs(...)` runs it in this process, `process(...)` in one of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from rtfs_framework.cli.main import run

PURE = """
(defn main [record]
  (let [text (get record "text")]
    {:length (count text) :question? (string-contains? text "?")}))
"""
FEELING = """
(defn ^:delegation :local-model "sentiment" feel
  "The sentiment of a customer's message."
  [message :string] [:enum "positive" "negative" "neutral"]
  "neutral")
(defn main [record] {:sentiment (feel (get record "text"))})
"""


@attrs.frozen
class Result:
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def data(self):
        return json.loads(self.out)

    @property
    def records(self):
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder of the test's own, in which it stands, with a home of its own, and a few programs."""
    for name, text in (("pure.rtfs", PURE), ("feeling.rtfs", FEELING), ("hello.rtfs", '(defn main [n] (str "Hi " n))')):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


@pytest.fixture
def rtfs(folder, capsys, monkeypatch):
    """Run a command line in this process."""

    def invoke(*args: object, stdin: str | bytes = b"") -> Result:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(raw))))
        capsys.readouterr()
        code = run([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return invoke


@pytest.fixture
def process(folder):
    """Start a command line in a process of its own; ended by the test or with it."""
    started = []

    def start(*args: object, **options) -> subprocess.Popen:
        code = "from rtfs_framework.cli.main import main; main()"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        child = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, args)], cwd=folder, env={**os.environ}, **{**pipes, **options}
        )
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()


@pytest.fixture
def acme_bad(folder, monkeypatch):
    """Return a function that installs the distribution `acme-bad 1.0`, a module of this text, as the only plugin."""

    def install(text: str) -> None:
        home = folder / "site"
        (home / "acme_bad-1.0.dist-info").mkdir(parents=True)
        (home / "acme_bad-1.0.dist-info" / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: acme-bad\nVersion: 1.0\n"
        )
        (home / "acme_bad-1.0.dist-info" / "entry_points.txt").write_text("[rtfs_framework]\nacme-bad = acme_bad\n")
        (home / "acme_bad.py").write_text(text)
        monkeypatch.syspath_prepend(str(home))
        monkeypatch.setenv("RTFS_PLUGINS", "acme-bad")

    yield install
    sys.modules.pop("acme_bad", None)
