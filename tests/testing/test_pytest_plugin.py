"""The fixtures for plug-ins' tests: a host that records, a provider that reads a script, and what was not declared."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from rtfs_framework.api import ProviderUnavailable
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.pytest_plugin import RecordingHost
from rtfs_framework.testing.watched import watched

CONFIG = """
[delegation.static_routes]
greet = "local-fake"
[delegation.local_models.fake]
provider = "scripted"
"""
PROGRAM = '(defn greet [who] "from the program") (defn main [who] (greet who))'


@pytest.fixture
def host(tmp_path):
    made = RecordingHost(tmp_path, FakeClock())
    yield made
    made.close()


def test_a_provider_reads_its_script_and_the_host_keeps_what_happened(host):
    provider = host.answers("one", "two")
    with host.open(config=CONFIG) as session:
        assert [session.run(PROGRAM, (who,)).value for who in ("a", "b")] == ["one", "two"]
        assert session.problems == ()
    assert len(provider.requests) == 2
    assert [event.name for event in host.events if event.name.startswith("run.")] == ["run.started", "run.ended"] * 2
    assert [event.fields["symbol"] for event in host.events if event.name == "call.answered"] == ["greet", "greet"]


def test_errors_of_the_script_are_raised(host):
    host.answers(ProviderUnavailable("scripted", "gone"))
    with host.open(config='delegation.on_exhausted = "body"\n' + CONFIG) as session:
        assert session.run(PROGRAM, ("a",)).value == "from the program"


def test_its_clock_is_the_test_s(host):
    with host.open(config="") as session:
        assert session.host.clock is host.clock


def test_a_plug_in_that_is_not_installed_is_named(host):
    with pytest.raises(LookupError, match=r"RTFS_PLUGINS names `nonesuch`.*pip install --editable"):
        host.open("nonesuch")
    with pytest.raises(RuntimeError, match="nothing is loaded yet"):
        _ = RecordingHost(host.home, host.clock).catalog


def using(tmp_path, monkeypatch, *lines, declared=()):
    """Install a plug-in that does something when it is asked what it offers, and return its name."""
    package = tmp_path / "site" / "acme_uses"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    body = "\n".join(f"    {line}" for line in lines)
    (package / "plugin.py").write_text(
        "from rtfs_framework.api import hookimpl\nrtfs_api_version = 2\n@hookimpl\ndef rtfs_caches():\n"
        f"{body}\n    return []\n"
    )
    info = tmp_path / "site" / "acme_uses-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-uses\nVersion: 1.0\n")
    points = "".join(f"{word} = acme_uses.plugin\n" for word in declared)
    (info / "entry_points.txt").write_text(
        f"[rtfs_framework]\nuses = acme_uses.plugin\n[rtfs_framework_permissions]\n{points}"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for name in ("acme_uses", "acme_uses.plugin"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
    return "acme-uses"


USES = {
    "files": ("open(__file__).close()",),
    "network": ("import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.close()",),
    "subprocess": ("import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', ''], check=True)",),
}


SEEN = """
def listed():
    return os.listdir(here)

def bound():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
"""


def test_packages_are_seen_and_their_callers_are_not(tmp_path):
    code = {"__name__": "acme_seen.deep", "os": os, "socket": socket, "here": str(tmp_path)}
    exec(SEEN, code)
    with watched({"acme_seen"}) as used:
        list(tmp_path.iterdir())
        assert used == set()
        code["listed"]()
        assert used == {("acme_seen", "files")}
        code["bound"]()
    code["listed"]()
    assert used == {("acme_seen", "files"), ("acme_seen", "network")}


@pytest.mark.parametrize("permission", USES)
def test_what_a_plug_in_uses_and_does_not_declare_is_known(tmp_path, monkeypatch, host, permission):
    name = using(tmp_path, monkeypatch, *USES[permission])
    host.load(name)
    host.load(name)
    assert host.undeclared() == [f"acme-uses 1.0 uses {permission} and does not declare it"]


@pytest.mark.parametrize("permission", USES)
def test_what_it_declares_it_may_use(tmp_path, monkeypatch, host, permission):
    host.load(using(tmp_path, monkeypatch, *USES[permission], declared=[permission]))
    assert host.undeclared() == []


def test_a_test_of_such_a_plug_in_fails_at_its_end(tmp_path, monkeypatch):
    using(tmp_path, monkeypatch, *USES["files"])
    test = tmp_path / "test_it.py"
    test.write_text("def test_it(rtfs_host):\n    rtfs_host.load('acme-uses')\n")
    line = [sys.executable, "-m", "pytest", "-q", "-p", "rtfs_framework.testing.pytest_plugin", "-c", os.devnull]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    found = subprocess.run([*line, str(test)], capture_output=True, text=True, env=environ, cwd=tmp_path, check=False)
    assert "acme-uses 1.0 uses files and does not declare it: see [project.entry-points" in found.stdout
    assert found.returncode == 1
