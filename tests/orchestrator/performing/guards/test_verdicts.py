"""What guards answer is judged: they may narrow, and what is no verdict of the contract refuses."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import (
    FailureKind,
    GuardedRequest,
    GuardEntry,
    InferenceReply,
    Keyword,
    LocalModel,
    Map,
    PluginError,
    RedactArgs,
    RedactReply,
    Refuse,
    RemoteModel,
)
from rtfs_framework.lang.maps import Set
from rtfs_framework.lang.vectors import List
from rtfs_framework.orchestrator.boundary.failures import RefusedError
from rtfs_framework.orchestrator.config.tables.guards import GuardSpec
from rtfs_framework.orchestrator.performing.guards.guards import make_guards
from rtfs_framework.orchestrator.performing.guards.shape import misshapen
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.fakes import inference_request

WHO = Provenance("acme-guard", "1.0", "acme")


class Says:
    """Gives fixed verdicts, or raises them; keeps what it was asked."""

    def __init__(self, request=None, reply=None):
        self.verdicts = {"request": request, "reply": reply}
        self.seen = []

    def _say(self, which, args):
        self.seen.append(args)
        verdict = self.verdicts[which]
        if isinstance(verdict, BaseException):
            raise verdict
        return verdict

    def check_request(self, guarded):
        return self._say("request", guarded.request.args)

    def check_reply(self, guarded, reply):
        return self._say("reply", reply)


class Host:
    """Guards of these answers, and what was told of them."""

    def __init__(self, *guards, **spec):
        self.told, self.notes = [], []
        entries = {
            f"g{n}": (GuardEntry(name=f"g{n}", summary="", factory=lambda _, each=each: each), WHO)
            for n, each in enumerate(guards)
        }
        specs = tuple(GuardSpec(name=name, plugin=name, **spec) for name in entries)
        self.guards = make_guards(specs, Catalog(guards=entries), lambda *told: self.told.append(told))

    def request(self, *args, target=None, name="f"):
        asked = GuardedRequest(target=target or RemoteModel("cloud"), request=inference_request(*args, name=name))
        return self.guards.request(asked, lambda request, new: attrs.evolve(request, args=new), self._note).request

    def reply(self, reply):
        asked = GuardedRequest(target=RemoteModel("cloud"), request=inference_request("x"))
        return self.guards.reply(asked, reply, self._note)

    def _note(self, *note):
        self.notes.append(note)


def test_what_passes_is_the_same():
    host, reply = Host(Says(), Says()), InferenceReply(text="y")
    assert host.request("x").args == ("x",)
    assert host.reply(reply) is reply
    assert not host.notes


def test_each_is_asked_about_what_those_before_it_left():
    first, second = Says(RedactArgs(("?",), "1 key"), RedactReply("?")), Says()
    host = Host(first, second)
    assert host.request("secret").args == ("?",)
    assert second.seen == [("?",)]
    assert host.reply(InferenceReply(text="y", model="m", explanation="because of y")) == InferenceReply(text="?")
    assert host.notes == [("guard g0", "redacted arguments: 1 key"), ("guard g0", "redacted the reply")]


def test_a_refusal_names_the_guard_and_its_reason():
    host = Host(Says(Refuse("too\nlong", "cut it"), Refuse("")))
    with pytest.raises(RefusedError) as refused:
        host.request("x")
    assert (refused.value.guard, refused.value.failure) == ("g0", FailureKind.REFUSED)
    assert "the guard 'g0' refuses: too" in refused.value.reason
    assert "\n" not in refused.value.reason
    assert refused.value.way_out == "cut it"
    with pytest.raises(RefusedError, match="without a reason") as refused:
        host.reply(InferenceReply(text="y"))
    assert refused.value.failure is FailureKind.REPLY
    assert not host.told


def test_what_stands_beside_the_answer_does_not_pass_unredacted():
    reply = InferenceReply(text="secret", data={"a": "secret"}, structured=True)
    assert Host(Says(None, RedactReply(data={"a": "?"}))).reply(reply) == InferenceReply(
        data={"a": "?"}, structured=True
    )
    beside = Host(Says(None, RedactReply("?", {"a": "?"}))).reply(reply)
    assert (beside.text, beside.data) == ("?", {"a": "?"})
    words = InferenceReply(text="secret", data="secret")
    assert Host(Says(None, RedactReply("?"))).reply(words) == InferenceReply(text="?")


BROKEN = [ZeroDivisionError("x"), SystemExit(1), True, "yes", RedactReply("?"), RedactArgs(["?"]), RedactArgs(()),
          RedactArgs(("?", "?")), RedactArgs((7,)), RedactArgs(None)]  # fmt: skip


@pytest.mark.parametrize("verdict", BROKEN, ids=repr)
def test_a_broken_guard_of_requests_refuses(verdict):
    host = Host(Says(verdict))
    with pytest.raises(RefusedError, match="broke, and what it cannot judge does not pass") as refused:
        host.request("x")
    assert (refused.value.failure, refused.value.code) == (FailureKind.REFUSED, "E0609")
    (told,) = host.told
    assert (told[0].name, told[3]) == ("g0", "the request was refused")


@pytest.mark.parametrize(
    ("verdict", "reply"),
    [
        (KeyError(1), InferenceReply(text="y")),
        (RedactArgs(("?",)), InferenceReply(text="y")),
        (RedactReply(None), InferenceReply(text="y")),
        (RedactReply(data={"a": 1, "b": 2}), InferenceReply(data={"a": 1}, structured=True)),
        (RedactReply(data={"a": "1"}), InferenceReply(data={"a": 1}, structured=True)),
        (RedactReply(text="?"), InferenceReply(data={"a": 1}, structured=True)),
    ],
)
def test_a_broken_guard_of_replies_refuses(verdict, reply):
    host = Host(Says(reply=verdict))
    with pytest.raises(RefusedError, match="broke") as refused:
        host.reply(reply)
    assert refused.value.failure is FailureKind.REPLY
    assert len(host.told) == 1


def test_it_is_asked_where_the_configuration_says():
    guard = Says()
    host = Host(guard, targets=("remote-*",), symbols=("f", "ai-*"))
    host.request("x", target=LocalModel("small"))
    host.request("x", name="g")
    assert not guard.seen
    host.request("x", name="ai-y")
    assert len(guard.seen) == 1


def test_a_guard_that_cannot_be_made_stops_the_start():
    def factory(_):
        raise ImportError("no such thing")

    entry = GuardEntry(name="g", summary="", factory=factory)
    with pytest.raises(PluginError, match=r"enabled = false in \[guards.g\]"):
        make_guards((GuardSpec(name="g", plugin="g"),), Catalog(guards={"g": (entry, WHO)}), lambda *_: None)


def test_other_settings_are_another_fingerprint():
    entry = GuardEntry(name="g", summary="", factory=lambda _: Says())
    catalog = Catalog(guards={"g": (entry, WHO), "other": (entry, WHO)})
    specs = [(), (GuardSpec(name="g", plugin="g"),), (GuardSpec(name="g", plugin="g", version="2"),),
             (GuardSpec(name="g", plugin="g", table={"a": 1}),), (GuardSpec(name="g", plugin="other"),)]  # fmt: skip
    assert len({make_guards(each, catalog, lambda *_: None).fingerprint for each in specs}) == 5


A = Keyword("a")
SHAPES = [
    ((1, "x"), (2, "y"), None),
    ("x", "", None),
    (None, None, None),
    (Map.of([(A, "x")]), Map.of([(A, "y")]), None),
    (Set.of(["x", "y"]), Set.of(["?"]), None),
    (List(["x"]), List(["?"]), None),
    ({"a": [1, {"b": "x"}]}, {"a": [2, {"b": "y"}]}, None),
    (1, True, "a bool where a int was"),
    (1, 1.0, "a float where a int was"),
    (None, "x", "a str where a NoneType was"),
    ((1,), (1, 2), "has 2 items where 1 were"),
    ((1,), List([1]), "a List where a vector was"),
    (Map.of([(A, 1)]), Map.of([(A, 1), ("b", 1)]), "has other keys"),
    (Map.of([(A, 1)]), Map.of([("a", 1)]), "has other keys"),
    (Set.of(["x"]), Set.of(["x", "y"]), "has more items"),
    ({"a": 1}, {"b": 1}, "has other keys"),
]


@pytest.mark.parametrize(("before", "after", "wrong"), SHAPES)
def test_shapes(before, after, wrong):
    found = misshapen(before, after)
    assert (found is None) if wrong is None else (found is not None and wrong in found)
