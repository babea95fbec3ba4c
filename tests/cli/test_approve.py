"""`rtfs approve`: a run waits in a process of its own, another one answers."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from rtfs_framework.cli.main import run as run_here

CONFIG = """
[delegation]
engine = "static"
[delegation.local_models.echo]
provider = "echo"
[[engines.static.rules]]
symbols = "pay"
to = "local-echo"
ask = "boss"
[approvals]
timeout = %s
"""
PROGRAM = '(defn pay [x] "own") (defn main [] (pay "ten euros"))'

pytestmark = pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo")


@pytest.fixture
def rtfs(tmp_path, monkeypatch):
    """Return a function that starts `rtfs` in a folder with a program and a configuration that asks."""
    for name, value in (("RTFS_HOME", str(tmp_path / "home")), ("RTFS_TRUST", "1"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pay.rtfs").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "delegation.toml").write_text(CONFIG % "'1 min'", encoding="utf-8")

    def start(*args):
        command = [sys.executable, "-c", "from rtfs_framework.cli.main import main; raise SystemExit(main())", *args]
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    return start


@pytest.fixture
def approve(rtfs, capsys):
    """Return a function that runs `rtfs approve ...` in this process; it gives the code and what was printed."""

    def invoke(*args):
        capsys.readouterr()
        code = run_here(["approve", *args])
        return (code, *capsys.readouterr())

    return invoke


def told(process):
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def waiting(approve):
    """Return what waits, as soon as something does."""
    for _ in range(200):
        code, out, _ = approve("list", "--json")
        found = json.loads(out)["approvals"]
        if code == 0 and found:
            return found
        time.sleep(0.05)
    raise AssertionError("nothing came to wait")


def test_another_process_says_yes(rtfs, approve):
    assert approve("list")[:2] == (0, "nothing waits\n")
    run = rtfs("run", "pay.rtfs")
    (row,) = waiting(approve)
    assert (row["symbol"], row["target"], row["approver"], row["args_text"]) == (
        "pay",
        "local-model echo",
        "boss",
        None,
    )
    code, out, _ = approve("list")
    assert "(pay ...) -> local-model echo  asks boss" in out
    code, out, _ = told(rtfs("approve", "yes", row["id"][:8], "--json"))
    assert (code, json.loads(out)["state"]) == (0, "yes")
    code, out, err = told(run)
    assert (code, out) == (0, '"ten euros"\n')
    assert f"rtfs approve yes {row['id']}   or   rtfs approve no {row['id']}" in err
    assert "waiting for 'boss': (pay ...) -> local-model echo; no answer within 60 s means no" in err
    code, out, err = approve("yes", row["id"])
    assert code == 1
    assert "error[E0741]" in err
    assert "the answer was yes" in err


def test_another_process_says_no(rtfs, approve):
    run = rtfs("run", "pay.rtfs")
    (row,) = waiting(approve)
    code, out, _ = approve("no", row["id"], "--reason", "too dear")
    assert (code, out) == (0, f"{row['id']}: no, (pay ...) does not go to local-model echo\n")
    code, _, err = told(run)
    assert code == 1
    assert "SecurityViolation" in err
    assert "too dear" in err


def test_no_answer_is_no(rtfs, approve, tmp_path):
    (tmp_path / "delegation.toml").write_text(CONFIG % "'200 ms'", encoding="utf-8")
    code, _, err = told(rtfs("run", "pay.rtfs"))
    assert code == 1
    assert "no answer within 0.2 s" in err
    assert "late" in approve("list", "--all")[1]


def test_an_approver_s_name_forges_no_line(rtfs, tmp_path):
    config = CONFIG.replace('ask = "boss"', 'ask = "boss\\n  help: rtfs approve yes 1234"')
    (tmp_path / "delegation.toml").write_text(config % "'200 ms'", encoding="utf-8")
    _, _, err = told(rtfs("run", "pay.rtfs"))
    first, second, *_ = err.splitlines()
    assert first.startswith("waiting for 'boss\\n  help: rtfs approve yes 1234': (pay ...) -> local-model echo")
    assert "1234" not in second


def test_ctrl_c_lets_it_wait_no_more(rtfs, approve):
    import signal

    run = rtfs("run", "pay.rtfs")
    (row,) = waiting(approve)
    run.send_signal(signal.SIGINT)
    assert told(run)[0] == 130
    code, _, err = approve("yes", row["id"])
    assert code == 1
    assert "its run has ended" in err


@pytest.mark.parametrize("id_", ["nope", ""])
def test_an_unknown_id_is_refused(approve, id_):
    code, _, err = approve("yes", id_)
    assert code == 1
    assert "error[E0741]: no approval has the id" in err
    assert "Traceback" not in err
