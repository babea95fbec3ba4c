"""The contract of capabilities, for those that handlers of this distribution perform."""

from __future__ import annotations

import pytest

from rtfs_capability_standard.plugin import rtfs_capabilities, rtfs_capability_sets
from rtfs_framework.api import CapabilityEntry, CapabilityGrant, CapabilityRequest, CapabilitySetSettings, Keyword
from rtfs_framework.registry.absent import distribution_of
from rtfs_framework.registry.collect import aliases_of
from rtfs_framework.testing.conformance import CapabilityConformance

OFFERED = {entry.id: entry for entry in rtfs_capabilities()}
ACCEPTED = {
    "ccos.echo": [("text",), (3,)],
    **{f"ccos.math.{name}": [(6, 3)] for name in ("add", "subtract", "multiply", "divide", "modulo", "remainder")},
    **{f"ccos.math.{name}": [(4, 9)] for name in ("min", "max")},
    **{f"ccos.math.{name}": [(4,)] for name in ("abs", "sqrt")},
    "ccos.io.println": [(), ("text", 3)],
    "ccos.io.print": [("text",)],
    "ccos.io.log": [(Keyword("info"), "text")],
    "ccos.data.parse-json": [("[1]",)],
    "ccos.json.parse": [('{"a": [1]}',)],
    "ccos.data.serialize-json": [((1, "two"),)],
    "ccos.concurrent/parallel": [((1, 2),)],
    "ccos.system.current-timestamp-ms": [()],
    "ccos.system.current-time": [()],
    "ccos.system.current-timestamp": [()],
    "ccos.system.generate-uuid": [()],
    "ccos.random": [(), (6,), (1, 7)],
    "ccos.system.sleep-ms": [(1,)],
}
REFUSED = {
    "ccos.echo": [(), (1, 2)],
    **{f"ccos.math.{name}": [(), (1,), ("1", 2)] for name in ("add", "subtract", "multiply", "divide", "min", "max")},
    **{f"ccos.math.{name}": [(1,), (1, 0), (1, 2, 3)] for name in ("modulo", "remainder")},
    **{f"ccos.math.{name}": [(), (1, 2), ("1",)] for name in ("abs", "sqrt")},
    "ccos.data.parse-json": [(), (3,), ("no",)],
    "ccos.json.parse": [(), (3,), ("no",)],
    "ccos.data.serialize-json": [(), (1, 2), (float("nan"),)],
    "ccos.concurrent/parallel": [(), ((len,),)],
    "ccos.random": [(0,), (2, 1), (1.5,), (1, 2, 3), (True,)],
    "ccos.system.sleep-ms": [(), (-1,), ("1",), (True,), (float("nan"),), (10**1024,), (float("inf"),)],
}


@pytest.mark.parametrize("id_", sorted(ACCEPTED))
class TestStandard(CapabilityConformance):
    """Each is held to the contract."""

    @pytest.fixture(autouse=True)
    def _one(self, id_):
        self.id = id_

    def make(self) -> CapabilityEntry:
        return OFFERED[self.id]

    def accepted(self):
        return ACCEPTED[self.id]

    def refused(self):
        return REFUSED.get(self.id, ())


def test_the_host_answers_the_rest():
    served = {id_: entry.served for id_, entry in OFFERED.items() if id_ not in ACCEPTED}
    assert served == {
        "ccos.user.ask": "person",
        "ccos.ai.llm-execute": "model",
        "ccos.discovery.discover": "catalog",
    }


def test_who_lacks_them_is_told_what_to_install():
    ids = {each for entry in OFFERED.values() for each in (entry.id, *entry.aliases)}
    ids |= set(aliases_of(OFFERED)) | {"ccos.system.get-env", "ccos.system/get-env", "get-env"}
    assert {id_: distribution_of(id_) for id_ in ids} == dict.fromkeys(ids, "rtfs-capability-standard")


@pytest.mark.parametrize("id_", ["ccos.async/await", "ccos.agent.discover-agents", "ccos.db/query"])
def test_what_nobody_offers_is_not_said_to_be_here(id_):
    assert distribution_of(id_) is None


class TestVariables(CapabilityConformance):
    """A variable of the environment that the host was given."""

    def make(self) -> CapabilityEntry:
        entry = rtfs_capability_sets()[0]
        made = entry.factory(CapabilitySetSettings(environ={"LANG": "C", "SECRET": "s"}.get))
        (offered,) = made.entries()
        made.close()
        assert (offered.id, offered.grant) == (entry.ids[0], entry.grant)
        grants = tuple(CapabilityGrant(offered.grant(names=(name,))) for name in ("LANG", "NONE"))
        handler = offered.handler

        def granted(request):
            return handler(CapabilityRequest(request.id, request.args, grants=grants))

        return CapabilityEntry(id=offered.id, summary=offered.summary, handler=granted, effects=offered.effects)

    def accepted(self):
        return [("LANG",), ("NONE",)]

    def refused(self):
        return [("SECRET",), ("lang",), ("LANG ",), ("*",), ("",), (3,), ()]


@pytest.mark.parametrize("names", [(), ("",)])
def test_a_grant_of_no_variable_is_refused(names):
    with pytest.raises(ValueError, match="at least one variable"):
        rtfs_capability_sets()[0].grant(names=names)
