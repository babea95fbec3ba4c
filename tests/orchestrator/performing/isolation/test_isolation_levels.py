"""`[security] isolation`: which capabilities run in a child process, and who is refused there."""

from __future__ import annotations

import asyncio
import importlib
import os
import platform
import sys
from pathlib import Path

import pytest

from rtfs_framework.api import ProgramError
from rtfs_framework.orchestrator.config.isolation import Isolation
from rtfs_framework.orchestrator.session import Session

linux = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")
RULES = '[security]\ngrant = ["*"]\nisolation = "{}"\n'


@pytest.fixture
def hostile(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("hostile_handlers")


def run(kit, source, text, entry, config):
    with kit.open(kit.catalog(capabilities=[entry]), config) as session:
        return session.run(source(text))


@linux
@pytest.mark.parametrize("level", ["isolated", "sandboxed"])
def test_a_capability_that_says_so_runs_in_a_process_of_its_own(kit, source, capability, hostile, level):
    entry = capability("acme.pid", hostile.process, isolable=True)
    found = run(kit, source, "(pmap (fn [x] (call :acme.pid x)) [1 2])", entry, RULES.format(level)).value
    assert os.getpid() not in found
    assert len(set(found)) == 2


def test_inherit_is_the_usual_and_the_host_s_own_process(kit, source, capability, hostile):
    entry = capability("acme.pid", hostile.process, isolable=True)
    for config in ('[security]\ngrant = ["*"]\n', RULES.format("inherit")):
        assert run(kit, source, "(call :acme.pid 1)", entry, config).value == os.getpid()


@pytest.mark.parametrize("case", ["says nothing", "no function of a module", "another's name", "a method"])
def test_what_cannot_run_there_is_refused_and_not_called(kit, source, capability, hostile, case):
    handlers = {"says nothing": hostile.process, "no function of a module": lambda _: 1, "another's name": _Lying(),
                "a method": [].append}  # fmt: skip
    entry = capability("acme.pid", handlers[case], isolable=case != "says nothing")
    with pytest.raises(ProgramError) as caught:
        run(kit, source, "(call :acme.pid 1)", entry, RULES.format("isolated"))
    assert caught.value.kind == "SecurityViolation"
    assert "isolation is 'isolated', and its plug-in does not let it run in a process of its own" in str(caught.value)
    assert 'set isolation = "inherit"' in str(caught.value)


@linux
@pytest.mark.parametrize("more", ["ahead", "speaks"])
def test_what_the_host_s_own_process_would_be_asked_for_too_runs_nowhere(kit, source, capability, hostile, more):
    told = []
    having = {"ahead": lambda *args: told.append(args)} if more == "ahead" else {"speaks": True, "blocking": True}
    entry = capability("acme.pid", hostile.process, isolable=True, **having)
    with pytest.raises(ProgramError, match="does not let it run in a process of its own"):
        run(kit, source, "(call :acme.pid 1)", entry, RULES.format("isolated"))
    assert told == []


@pytest.mark.parametrize("level", ["inherit", "isolated", "sandboxed"])
def test_plug_ins_are_told_nothing_in_the_host_where_they_run_elsewhere(kit, capability, hostile, level):
    told = []
    entry = capability("acme.pid", hostile.process)
    with kit.open(kit.catalog(capabilities=[entry]), RULES.format(level)) as session:
        said = asyncio.run(session.host.dispatcher.capabilities.tell(entry, lambda n: told.append(n) or "", 1))
    assert (told, said) == (([1], "") if level == "inherit" else ([], None))


class _Lying:
    __module__ = "os"
    __qualname__ = "getcwd"

    def __call__(self, _):
        raise AssertionError("it is not called")


def test_a_machine_without_it_is_refused_and_nothing_runs_in_the_host_instead(
    kit, source, capability, hostile, monkeypatch
):
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    entry = capability("acme.pid", hostile.process, isolable=True)
    with pytest.raises(ProgramError, match="which needs Linux on x86_64 or aarch64"):
        run(kit, source, "(call :acme.pid 1)", entry, RULES.format("sandboxed"))


@linux
def test_a_failure_there_is_a_failure_here(kit, source, capability, hostile):
    config = RULES.format("isolated")
    refuses = capability("acme.x", hostile.refuses, isolable=True)
    text = "(try (call :acme.x) (catch e (:message e)))"
    assert "no such thing" in run(kit, source, text, refuses, config).value
    breaks = capability("acme.x", hostile.breaks, isolable=True)
    with kit.open(kit.catalog(capabilities=[breaks]), config) as session:
        assert "ZeroDivisionError: oops" in session.run(source(text)).value
        (problem,) = session.problems
    assert problem.distributions == ("acme-plugin",)


@linux
@pytest.mark.needs("rtfs-capability-files")
@pytest.mark.parametrize("level", ["isolated", "sandboxed"])
def test_files_are_read_by_their_grants_there_and_written_only_where_a_child_may(tmp_path, source, level):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_text("hello", encoding="utf-8")
    text = """[(call :fs.read "data/a")
        (try (call :fs.read "c.toml") (catch e (:kind e)))
        (try (call :fs.write "data/b" "x") (catch e (:message e)))]"""
    found = []
    for write in ("", 'write = ["data"]\n'):
        (tmp_path / "c.toml").write_text(
            f'[security]\nisolation = "{level}"\ngrant = [{{ id = "fs.read", roots = ["data"] }}, '
            f'{{ id = "fs.write", roots = ["data"] }}]\n[security.child]\nread = ["data"]\n{write}',
            encoding="utf-8",
        )
        environ = {"RTFS_HOME": str(tmp_path / "home")}
        with Session.open(config_path=tmp_path / "c.toml", environ=environ) as session:
            found.append(session.run(source(text)).value)
    refused, written = found
    assert refused[0] == written[0] == "hello"
    assert "SecurityViolation" in str(refused[1])
    assert "denied" in refused[2]
    assert written[2] == 1
    assert (tmp_path / "data" / "b").read_text(encoding="utf-8") == "x"


def test_the_host_s_own_capabilities_are_not_plug_ins(kit, source):
    with kit.open(kit.catalog(), '[security]\nisolation = "sandboxed"\n') as session:
        assert session.run(source('(call :host.checkpoint "a") 1')).value == 1


def test_what_a_child_may_use_is_read(kit, tmp_path):
    config = (
        '[security]\nisolation = "sandboxed"\n[security.child]\nmemory = "1 GiB"\nfiles = 32\n'
        'environment = ["TZ"]\nread = ["data"]\nwrite = ["/tmp/out"]\n'
    )
    with kit.open(kit.catalog(), config) as session:
        rules = session.host.config.security
    assert rules.isolation is Isolation.SANDBOXED
    assert (rules.child.memory, rules.child.files, rules.child.environment) == (1 << 30, 32, ("TZ",))
    assert Path(rules.child.read[0]).is_absolute()
    assert (Path(rules.child.read[0]).name, rules.child.write) == ("data", ("/tmp/out",))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[security]\nisolation = "strict"\n', "E0705"),
        ('[security.child]\nmemory = "1 MB"\n', "E0705"),
        ("[security.child]\nfiles = 1\n", "E0705"),
        ('[security.child]\nread = [""]\n', "E0705"),
        ("[security.child]\nprocesses = 1\n", "E0702"),
    ],
)
def test_mistakes_are_told(kit, text, code):
    with pytest.raises(Exception, match=code) as caught, kit.open(kit.catalog(), text):
        pass
    assert caught.value.diagnostics[0].code == code
