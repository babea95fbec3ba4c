"""The published checks: what each answers, and that the host asks nobody else."""

from __future__ import annotations

import pytest

from rtfs_framework import Reach, RuntimeContext, SecurityAuthorizer, SecurityLevel
from rtfs_framework.api import Capability, LocalModel, LocalPure, ProgramError, RemoteModel

BIG, SMALL = RemoteModel("big"), LocalModel("small")


def authorizer(**rules):
    return SecurityAuthorizer(RuntimeContext(**rules), "rules.toml")


CAPABILITIES = [
    ({}, "fs.read", "not granted"),
    ({"grant": ("fs.*",)}, "fs.read", None),
    ({"grant": ("fs.*",), "deny": ("fs.read",)}, "fs.read", "denied by 'fs.read'"),
    ({"level": SecurityLevel.FULL}, "fs.read", None),
    ({"level": SecurityLevel.FULL, "deny": ("*",)}, "fs.read", "denied by '*'"),
    ({"level": SecurityLevel.PURE, "grant": ("fs.read",)}, "fs.read", "level 'pure' allows no capability"),
]


@pytest.mark.parametrize(("rules", "name", "reason"), CAPABILITIES)
def test_authorize_capability(rules, name, reason):
    refusal = authorizer(**rules).authorize_capability(name)
    assert (None if refusal is None else refusal.reason) == reason
    assert refusal is None or "rules.toml" in refusal.way_out


def test_authorize_program_says_all_that_it_may_not_use_each_once():
    found = authorizer(grant=("fs.read",), deny=("net.*",)).authorize_program(["net.get", "fs.read", "db", "net.get"])
    assert {name: refusal.reason for name, refusal in found.items()} == {
        "net.get": "denied by 'net.*'",
        "db": "not granted",
    }
    assert not authorizer(grant=("*",)).authorize_program(["a", "b"])


CONTEXTS = [
    ({}, BIG, None),
    ({"reach": Reach.LOCAL}, BIG, "reach is 'local'"),
    ({"reach": Reach.LOCAL}, SMALL, None),
    ({"reach": Reach.PURE}, SMALL, "reach is 'pure'"),
    ({"reach": Reach.PURE}, BIG, "reach is 'pure'"),
    ({"level": SecurityLevel.PURE}, SMALL, "reach is 'pure'"),
    ({"level": SecurityLevel.PURE}, LocalPure(), None),
    ({"reach": Reach.PURE}, Capability("x"), None),
]


@pytest.mark.parametrize(("rules", "target", "why"), CONTEXTS)
def test_validate_execution_context(rules, target, why):
    judge = authorizer(**rules)
    assert judge.validate_execution_context(target) == why
    assert judge.narrow(target) == ((target, None) if why is None else (LocalPure(), why))


def test_authorize_function():
    assert authorizer().authorize_function("f") is None
    assert authorizer(deny=("f*",)).authorize_function("fx").reason == "denied by 'f*'"


PROGRAM = "(defn main [] (call :db.put 1)) (main)"


def test_a_session_judges_by_its_authorizer_alone(kit, source, capability, monkeypatch):
    asked = []
    catalog = kit.catalog(capabilities=[capability("db.put", lambda _: 1)])
    with kit.open(catalog, '[security]\ngrant = ["db.put"]\n') as session:
        judge = session.authorizer
        assert judge.authorize_capability("db.put") is None
        assert session.run(source(PROGRAM)).value == 1
    with kit.open(catalog, "") as session:
        before = SecurityAuthorizer.authorize_capability
        monkeypatch.setattr(
            SecurityAuthorizer, "authorize_capability", lambda self, name: asked.append(name) or before(self, name)
        )
        (site,) = [each for each in session.explain(source(PROGRAM)) if each.kind == "capability"]
        assert (site.target, asked) == ("denied", ["db.put"])
        with pytest.raises(ProgramError, match="not granted"):
            session.run(source(PROGRAM))
    assert asked == ["db.put", "db.put"]
