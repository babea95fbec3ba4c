"""Handlers in child processes: values cross without loss, and what a hostile one tries harms nobody."""

from __future__ import annotations

import fcntl
import importlib
import os
import platform
import resource
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest

from rtfs_framework.api import CapabilityError, CapabilityGrant, CapabilityRequest, Described
from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import Keyword, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import List
from rtfs_framework.orchestrator.config.isolation import ChildSpec
from rtfs_framework.orchestrator.performing.isolation.bounds import Bounds, CannotIsolateError, confine
from rtfs_framework.orchestrator.performing.isolation.crossing import GarbledError, HandlerRaisedError, read
from rtfs_framework.orchestrator.performing.isolation.places import InModule
from rtfs_framework.orchestrator.performing.isolation.process import Isolated, _exchange
from rtfs_framework.orchestrator.performing.isolation.syscalls import ARCHITECTURES, NEVER, program
from rtfs_framework.registry.faults import Part, PluginFault
from rtfs_framework.registry.problems import Provenance

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")
both = pytest.mark.parametrize("sandboxed", [False, True], ids=["isolated", "sandboxed"])

PART = Part("capability", "x", Provenance("acme-plugin", "1.2", "acme"))
VALUES = (
    None, True, -0.0, 1 << 600, "a\U0001f600", Keyword("k"), Symbol("s"), (1, (2,)), List([1]), Set.of((1, 2)),
    Map.of([("b", 1), ("a", 2)]), Timestamp("2025-01-01T00:00:00Z"), Uuid("123e4567-e89b-12d3-a456-426614174000"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def hostile(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("hostile_handlers")


def call(name, *args, sandboxed=False, deadline=30.0, environ=None, grants=(), **spec):
    handler = Isolated(InModule("hostile_handlers", name), ChildSpec(**spec), sandboxed, environ or {}, PART)
    request = CapabilityRequest(
        "acme.x", args, deadline=deadline, key="k-1", grants=grants, tenant="t", marks=frozenset({"m"})
    )
    return handler(request)


@both
def test_values_cross_without_loss(sandboxed):
    found = call("echo", *VALUES, sandboxed=sandboxed)
    assert repr(found) == repr(VALUES)
    assert [type(each) for each in found] == [type(each) for each in VALUES]


def test_the_whole_request_crosses_and_what_is_told_of_an_answer_comes_back():
    told = call("told", grants=(CapabilityGrant(("roots", "x"), "/base"),))
    assert told == ("acme.x", "k-1", "t", ("m",), ("('roots', 'x') from /base",))
    assert call("later", 7) == 7
    assert call("gives_what_python_has") == Map.of([("a", (1, Set.of((2,))))])
    assert call("marked") == Described(1, marks=frozenset({"secret"}))


def test_what_a_handler_raises_is_raised_here():
    with pytest.raises(CapabilityError, match="no such thing") as caught:
        call("refuses")
    assert (caught.value.kind, caught.value.marks) == ("NotFound", frozenset())
    with pytest.raises(CapabilityError, match="there is such") as caught:
        call("refuses_with_marks")
    assert caught.value.marks == {"secret"}
    with pytest.raises(ProgramError, match="of a program") as thrown:
        call("throws")
    assert thrown.value.value.data == Map.of([(Keyword("a"), 1)])
    with pytest.raises(PluginFault, match="ZeroDivisionError: oops"):
        call("breaks")


def test_what_is_no_data_does_not_cross():
    with pytest.raises(CapabilityError, match="no data that a text can hold") as caught:
        call("echo", call)
    assert (caught.value.kind, caught.value.failure) == ("SecurityViolation", FailureKind.FINAL)
    with pytest.raises(CapabilityError, match="it returned a function, which no program can hold"):
        call("gives_a_function")
    with pytest.raises(CapabilityError, match=r"it returned .*object"):
        call("gives_what_is_no_value")


@both
def test_nothing_that_a_handler_tries_is_done(sandboxed, tmp_path, hostile):
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    before = victim.stat()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        tried = [*hostile.ATTEMPTS, *(hostile.ATTEMPTS_AT_THE_NETWORK if sandboxed else ())]
        found = call("attempts", tuple(tried), str(victim), os.getpid(), port, sandboxed=sandboxed)
    assert len(tried) == len(found) > 35
    assert {name: said for name, said in zip(tried, found, strict=True) if not said.startswith("refused")} == {}
    after = victim.stat()
    assert victim.read_text(encoding="utf-8") == "precious"
    assert (before.st_mode, before.st_mtime_ns) == (after.st_mode, after.st_mtime_ns)
    assert list(tmp_path.iterdir()) == [victim]


def test_who_is_isolated_has_a_network_and_reads_and_who_is_sandboxed_what_is_named(tmp_path):
    file = tmp_path / "data"
    file.write_text("1;2", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=lambda: _greet(server))
        thread.start()
        assert call("connects", server.getsockname()[1]) == "hello"
        thread.join()
    assert call("reads", str(file)) == "1;2"
    assert call("reads", str(file), sandboxed=True, read=(str(tmp_path),)) == "1;2"
    with pytest.raises(PluginFault, match="PermissionError"):
        call("reads", str(file), sandboxed=True)


def _greet(server):
    made, _ = server.accept()
    with made:
        made.sendall(b"hello")


@both
def test_it_writes_where_the_configuration_says(sandboxed, tmp_path):
    assert call("writes", str(tmp_path / "new"), sandboxed=sandboxed, write=(str(tmp_path),)) == 1
    assert (tmp_path / "new").read_text(encoding="utf-8") == "changed"
    with pytest.raises(CapabilityError, match=r"cannot run isolated: .*missing cannot be opened.*choose another"):
        call("writes", "x", sandboxed=sandboxed, write=(str(tmp_path / "missing"),))


@both
def test_its_environment_and_its_files_are_closed(sandboxed):
    environ = {"SECRET": "s", "TZ": "UTC"}
    found = dict(call("environment", sandboxed=sandboxed, environ=environ, environment=("TZ", "NOT_SET")))
    assert found == {"TZ": "UTC", "LC_CTYPE": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}
    with open(os.devnull) as kept:  # noqa: PTH123 - a file that others could inherit
        os.set_inheritable(kept.fileno(), True)
        assert call("open_files", sandboxed=sandboxed) == 4  # three of nothing, and its socket


@pytest.mark.parametrize(
    ("name", "seconds", "words"),
    [
        ("spins", 1.0, "no answer within 1 s"),
        ("sleeps", 1.0, "no answer within 1 s"),
        ("eats_memory", 30.0, "more memory than it may take"),
        ("dies", 30.0, "ended by SIGABRT"),
        ("writes_to_its_pipe", 30.0, "wrote what is no answer"),
        ("floods_its_pipe", 30.0, "wrote more than 16777216 bytes"),
    ],
)
def test_a_child_that_gives_no_answer_is_ended_and_told_of(name, seconds, words, monkeypatch):
    started = []

    class Popen(subprocess.Popen):
        def __init__(self, *args, **more):
            super().__init__(*args, **more)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    with pytest.raises(CapabilityError, match=words):
        call(name, deadline=seconds, memory=128 << 20)
    (child,) = started
    assert child.returncode is not None  # nobody is left, not even as a zombie


@pytest.mark.parametrize("status", [91, 92])
def test_a_handler_gives_no_advice_in_the_host_s_name(status):
    with pytest.raises(CapabilityError, match=f"ended with status {status} and gave no answer") as caught:
        call("advises", status)
    assert caught.value.kind != "SecurityViolation"
    assert "inherit" not in str(caught.value)


def test_what_a_child_says_before_it_is_confined_is_cut_and_seen(tmp_path):
    with pytest.raises(CapabilityError, match="cannot run isolated") as caught:
        call("echo", write=(str(tmp_path / ("\x1b[2J" + "x" * 800)),))
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_what_asks_the_host_does_not_cross():
    request = CapabilityRequest("acme.x", (), speak=lambda *_: None)
    assert Isolated(InModule("hostile_handlers", "echo"), ChildSpec(), False, {}, PART)(request) == ()


def test_what_it_prints_is_nothing_and_threads_and_its_own_signals_are_its_own():
    assert call("prints") == 1
    assert call("threads", sandboxed=True) == (1,)
    assert call("signals_itself") == 1
    with pytest.raises(PluginFault, match="SystemExit"):
        call("exits")


def test_processor_time_is_bounded_too(monkeypatch):
    """Whoever is at a handler's clock: the kernel counts."""
    import rtfs_framework.orchestrator.performing.isolation.process as room

    monkeypatch.setattr(room, "_MORE_SECONDS", -29)
    with pytest.raises(CapabilityError, match=r"ended by SIG(KILL|XCPU)"):
        call("spins")


@pytest.mark.parametrize(
    "words", [b"", b"[]", b"1", b'{"value": "["}', b'{"value": 1}', b'{"raised": "capability", "kind": 1}',
              b'{"raised": "capability", "kind": "a", "message": "b", "failure": "c"}', b"\xff", b"[" * 100_000,
              b'{"value": "1", "marks": [1], "metadata": {}}', b'{"value": "1", "marks": [], "metadata": {"x": 1}}'],
    ids=range(11),
)  # fmt: skip
def test_words_of_an_enemy_are_no_answer(words):
    with pytest.raises(GarbledError):
        read(words)


def test_other_errors_come_back_as_words():
    with pytest.raises(HandlerRaisedError, match="OSError: no"):
        read(b'{"raised": "other", "kind": "OSError", "message": "no"}')


def test_a_machine_that_cannot_isolate_is_refused_before_anything_is_given_up(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    with pytest.raises(CannotIsolateError, match="on vax"):
        confine(Bounds(parent=os.getppid(), memory=1, seconds=1, files=1, sandboxed=True))
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 1


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_a_filter_ends_calls_of_other_architectures_and_fits_the_kernel(machine):
    made = program(machine, 1, sockets=True)
    assert len(made) % 8 == 0
    assert len(made) // 8 < 4096  # BPF_MAXINSNS
    assert len(program(machine, 1, sockets=False)) < len(made) + 8
    numbers = [number for number in (each[ARCHITECTURES[machine][0]] for each in NEVER.values()) if number is not None]
    assert len(set(numbers)) == len(numbers)


def test_a_host_with_many_files_open_exchanges_with_its_child_as_others_do():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    number = 1500
    if limits[1] != resource.RLIM_INFINITY and limits[1] <= number:
        pytest.skip("this process may not open so many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], number + 1), limits[1]))
    try:
        low, theirs = socket.socketpair()
        with low, theirs, socket.socket(fileno=fcntl.fcntl(low.fileno(), fcntl.F_DUPFD_CLOEXEC, number)) as ours:
            theirs.sendall(b"the answer")
            theirs.shutdown(socket.SHUT_WR)
            assert _exchange(ours, b"the call", monotonic() + 30) == b"the answer"
            assert theirs.recv(100) == b"the call"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
