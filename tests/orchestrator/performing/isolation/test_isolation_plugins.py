"""Plug-ins in child processes: they are loaded there, and their sets made anew, when everything is given up."""

from __future__ import annotations

import importlib
import os
import socket
import sys
from threading import Thread

import pytest

from rtfs_framework.api import ProgramError
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.load import load_catalog

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")
both = pytest.mark.parametrize("level", ["isolated", "sandboxed"])

PLUGIN = """
import os
import attrs
from rtfs_framework.api import CapabilityEntry, CapabilitySetEntry, hookimpl

rtfs_api_version = 2
HOST = %(host)d
VICTIM = %(victim)r

def tried():
    found = []
    for attempt in (os.fork, lambda: open(VICTIM, "w"), lambda: open(f"/proc/{HOST}/environ").read(),
                    lambda: os.kill(HOST, 0), lambda: os.execv("/bin/true", ["true"])):
        try:
            attempt()
        except OSError:
            continue
        found.append("done")
    return tuple(found)

AT_IMPORT = () if os.getpid() == HOST else tried()

@attrs.frozen(kw_only=True)
class Grant:
    word: str = ""

    def __setstate__(self, state):
        object.__setattr__(self, "word", repr(tried()))

@attrs.frozen(kw_only=True)
class Settings:
    word: str = "usual"
    sealed: bool = False

    def __reduce__(self):
        if self.sealed:
            raise TypeError("no")
        return Settings, (), {"word": self.word}

    def __setstate__(self, state):
        object.__setattr__(self, "word", state["word"] + repr(tried()))

@hookimpl
def rtfs_capabilities():
    made = [
        CapabilityEntry(id="acme.import", summary="a", handler=lambda request: (AT_IMPORT, os.getpid()), isolable=True),
        CapabilityEntry(id="acme.grant", summary="a", handler=lambda request: request.grants[0].own.word, isolable=True,
                        grant=Grant),
    ]
    lost = CapabilityEntry(id="acme.lost", summary="a", handler=lambda request: 1, isolable=os.getpid() == HOST)
    return [*made, lost]

class Made:
    def __init__(self, settings):
        self.settings, self.counted, self.at_making = settings, 0, () if os.getpid() == HOST else tried()

    def entries(self):
        made = [
            CapabilityEntry(id="set.count", summary="a", handler=self.count, isolable=True),
            CapabilityEntry(id="set.kept", summary="a", handler=self.kept, isolable=True),
            CapabilityEntry(id="set.held", summary="a", handler=self.count),
        ]
        return made

    def count(self, request):
        self.counted += 1
        return (self.counted, self.at_making, "" if self.settings.own is None else self.settings.own.word)

    def kept(self, request):
        try:
            with open(os.path.join(self.settings.directory, "kept"), "a+") as file:
                file.seek(0)
                found = len(file.read())
                file.write("x")
        except OSError:
            return "refused"
        return found

    def close(self):
        pass

@hookimpl
def rtfs_capability_sets():
    return [CapabilitySetEntry(name="set", summary="a", factory=Made, ids=("set.*",), settings=Settings,
                               keeps_files=%(keeps)s)]
"""
CONFIG = '[security]\nisolation = "{}"\ngrant = ["acme.*", "set.*"]\n'


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """Return a function that installs a plug-in that knows the host, and opens a session with it."""
    monkeypatch.delitem(sys.modules, "acme_tools_of_a_test", raising=False)
    (tmp_path / "victim").write_text("precious", encoding="utf-8")

    def opened(config, *, keeps=True, name=""):
        text = PLUGIN % {"host": os.getpid(), "victim": str(tmp_path / "victim"), "keeps": keeps}
        site = tmp_path / "site"
        known = site / "acme_tools-1.0.dist-info"
        known.mkdir(parents=True)
        (site / "acme_tools_of_a_test.py").write_text(text, encoding="utf-8")
        (known / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-tools\nVersion: 1.0\n", encoding="utf-8")
        points = f"[rtfs_framework]\nacme = acme_tools_of_a_test{name}\n"
        (known / "entry_points.txt").write_text(points, encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))
        importlib.invalidate_caches()
        (tmp_path / "c.toml").write_text(config, encoding="utf-8")
        catalog = load_catalog({"RTFS_PLUGINS": "acme-tools"})
        return Session.open(
            catalog=catalog, config_path=tmp_path / "c.toml", environ={"RTFS_HOME": str(tmp_path / "home")}
        )

    return opened


@both
def test_what_a_plug_in_makes_runs_there_and_does_no_more_than_a_function_of_a_module(acme, source, level, tmp_path):
    with acme(CONFIG.format(level)) as session:
        program = "[(call :acme.import) (call :set.count) (call :set.count)]"
        (at_import, pid), *counts = session.run(source(program)).value
    assert os.getpid() != pid
    assert at_import == ()
    assert counts == [(1, (), "usual()")] * 2  # made anew each time, by nobody who may do more
    assert (tmp_path / "victim").read_text(encoding="utf-8") == "precious"


def test_classes_of_a_plug_in_that_cross_run_when_all_is_given_up(acme, source, tmp_path):
    config = (
        '[security]\nisolation = "isolated"\ngrant = [{ id = "acme.grant", word = "a" }, "set.*"]\n'
        '[capabilities.set]\nword = "b"\n'
    )
    with acme(config) as session:
        assert session.run(source("[(call :acme.grant) (call :set.count)]")).value == ("()", (1, (), "b()"))
    assert (tmp_path / "victim").read_text(encoding="utf-8") == "precious"


def test_a_set_writes_to_its_own_folder_where_it_keeps_files_and_nowhere_else(acme, source, tmp_path):
    with acme(CONFIG.format("sandboxed")) as session:
        assert session.run(source("[(call :set.kept) (call :set.kept)]")).value == (0, 1)
    made = (tmp_path / "home" / "capabilities", tmp_path / "home" / "capabilities" / "set")
    assert [each.stat().st_mode & 0o777 for each in made] == [0o700, 0o700]


def test_a_set_that_keeps_no_files_has_no_folder(acme, source, tmp_path):
    with acme(CONFIG.format("isolated"), keeps=False) as session:
        assert session.run(source("(call :set.kept)")).value == "refused"
    assert not (tmp_path / "home" / "capabilities").exists()


@pytest.mark.parametrize(
    ("program", "more", "words"),
    [
        ("(call :set.held)", "", "does not let it run in a process of its own"),
        ("(call :set.count)", "[capabilities.set]\nsealed = true\n", "does not let it run in a process of its own"),
        ("(call :acme.lost)", "", r"acme-tools 1.0 offers no 'acme.lost' to a process of its own"),
    ],
    ids=["holds something here", "settings that do not cross", "says so here alone"],
)
def test_what_cannot_run_there_runs_nowhere(acme, source, program, more, words):
    with (
        acme(CONFIG.format("isolated") + more) as session,
        pytest.raises(ProgramError, match=words),
    ):
        session.run(source(program))


@pytest.mark.needs("rtfs-capability-kv", "rtfs-capability-standard")
def test_values_under_keys_and_clocks_are_had_there(source, tmp_path):
    (tmp_path / "c.toml").write_text('[security]\nisolation = "sandboxed"\ngrant = ["kv.*", "ccos.*"]\n', "utf-8")
    program = """(call :kv.put "a" 1)
        [(call :kv.add "a" 2) (call :ccos.math.add 1 2) (call :ccos.system.sleep-ms 1)
         (try (call :ccos.io.println "x") (catch e (:kind e)))]"""
    with Session.open(config_path=tmp_path / "c.toml", environ={"RTFS_HOME": str(tmp_path / "home")}) as session:
        *found, printed = session.run(source(program)).value
    assert found == [3, 3, None]
    assert "SecurityViolation" in str(printed)  # a child has no output


@pytest.mark.needs("rtfs-capability-http")
def test_pages_are_fetched_by_who_is_isolated_and_by_nobody_who_is_sandboxed(source, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=_answer, args=(server,))
        thread.start()
        port, found = server.getsockname()[1], []
        grant = f'{{ id = "http.fetch", hosts = ["127.0.0.1:{port}"], schemes = ["http"], private = ["127.0.0.1"] }}'
        for level in ("isolated", "sandboxed"):
            (tmp_path / "c.toml").write_text(f'[security]\nisolation = "{level}"\ngrant = [{grant}]\n', "utf-8")
            with Session.open(config_path=tmp_path / "c.toml", environ={"RTFS_HOME": str(tmp_path)}) as session:
                text = f'(try (:body (call :http.fetch "http://127.0.0.1:{port}/")) (catch e (:message e)))'
                found.append(session.run(source(text)).value)
        thread.join()
    assert found[0] == "fine"
    assert "isolation is 'sandboxed', and it is of the network" in found[1]


def _answer(server):
    made, _ = server.accept()
    with made:
        made.recv(4096)
        made.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n\r\nfine")
