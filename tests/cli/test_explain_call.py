"""`rtfs explain --call`: the whole way of one call, without anything happening."""

from __future__ import annotations

import pytest

ENGINE = """
import attrs

from rtfs_framework.api import *

rtfs_api_version = 2


class Careful:
    def claims(self):
        return ["label"]

    def decide(self, context):
        big = RemoteModel("big")
        if context.args[0] == "ask":
            context.consult(big, "where?")
        healthy = context.health(big) is Health.CLOSED and context.size <= 64
        return DelegationPlan(target=big if healthy else LocalPure(), reasoning="by health", source=PlanSource.ENGINE)


@hookimpl
def rtfs_engines():
    return [EngineEntry(name="careful", summary="", factory=lambda settings: Careful())]


class Big:
    def fingerprint(self):
        return "1"

    async def infer(self, request):
        raise AssertionError("it was asked")

    async def aclose(self):
        pass


@attrs.frozen
class Keyed:
    def unusable(self, environ):
        return "it has no key"


@hookimpl
def rtfs_providers():
    remote = {"summary": "", "locality": Locality.REMOTE, "factory": lambda settings: Big()}
    return [ProviderEntry(name="big", **remote), ProviderEntry(name="keyed", settings=Keyed, **remote)]
"""
CONFIG = """
[delegation]
engine = "careful"
[delegation.remote_providers.big]
input_cost = 2.5
output_cost = 10.0
[delegation.remote_providers.keyed]
"""


@pytest.fixture
def explained(rtfs, folder, acme_bad):
    acme_bad(ENGINE)
    (folder / "a.rtfs").write_text('(defn label [x :string] :string "own")')
    (folder / "c.toml").write_text(CONFIG)

    def ask(call, *args):
        result = rtfs("explain", "a.rtfs", "--config", "c.toml", "--call", call, *args)
        assert result.code == 0, result.err
        return result

    return ask


def lines(result):
    found: dict[str, list[str]] = {}
    for line in result.lines:
        if line.startswith("     ") and line[5] != " ":
            name, _, text = line.strip().partition(" ")
            found.setdefault(name, []).append(text.strip())
    return found


def test_what_is_read_who_speaks_and_what_would_follow(explained) -> None:
    found = lines(explained('(label "hello")'))
    assert found["read"] == ['args: ["hello"]', "health of remote big: closed", "size: 64"]
    assert found["engines"] == ["careful"]
    assert "remote big, $2.5 in, $10 out per million tokens" in found["candidate"]
    assert found["excluded"] == ["remote keyed: it has no key"]
    assert "breaker" in found["guards"][0]
    assert found["then"][0].startswith("if remote big does not answer: ")
    assert "own body" in found["then"][-1]


def test_what_would_be_asked(explained) -> None:
    result = explained('(label "ask")')
    assert "the engine consults remote big" in result.out
    assert lines(result)["read"] == ['args: ["ask"]', "words of remote big: no answer yet"]


def test_json(explained) -> None:
    (site,) = explained('(label "hello")', "--json").data["sites"]
    way = site["way"]
    assert way["reads"] == [["args", '["hello"]'], ["health of remote big", "closed"], ["size", "64"]]
    assert (way["path"], way["guards"][-1:]) == (["careful"], ["breaker"])
