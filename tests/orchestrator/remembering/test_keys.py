"""Keys of the host are injective: what differs in any part, wherever parts are joined, has another key."""

from __future__ import annotations

from datetime import date, datetime, time, timezone

import attrs
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import LocalModel
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.signature import FunctionSignature, Parameter
from rtfs_framework.lang.types.model import LiteralType, Primitive
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.deciding.policy import policy_hash
from rtfs_framework.orchestrator.performing.prompt import signature_text
from rtfs_framework.orchestrator.performing.providers import ProviderInstance
from rtfs_framework.orchestrator.remembering.keys import Keys, key_of
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.fakes import call_reads

texts = st.text('a\0:1"\ud800 ', max_size=4)


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4))
def test_rows_of_texts_have_one_key_only_when_they_are_the_same(one, two):
    assert (key_of(*one) == key_of(*two)) is (one == two)


@given(pairs=st.lists(st.tuples(texts, texts), max_size=3), more=st.lists(texts, max_size=3))
def test_rows_that_begin_alike_have_the_keys_of_whole_rows(pairs, more):
    keys, begins = Keys(), tuple(pairs)
    whole = key_of(*(text for pair in pairs for text in pair), *more)
    assert [keys.of(begins, *more), keys.of(begins, *more)] == [whole, whole]
    assert keys.of(begins) == key_of(*(text for pair in pairs for text in pair))


def test_beginnings_are_forgotten_and_found_again():
    keys = Keys()
    rows = [((str(number), "x"),) for number in range(600)]
    first = [keys.of(row, "more") for row in rows]
    assert [keys.of(row, "more") for row in rows] == first
    assert len(set(first)) == len(rows)


DAY = date(2025, 1, 2)
TABLES = [
    {},
    {"a": {}},
    {"a": []},
    {"a": "1"},
    {"a": 1},
    {"a": 1.0},
    {"a": True},
    {"a": [1]},
    {"a": "[1]"},
    {"a": [[1]]},
    {"a": {"b": 1}},
    {"a.b": 1},
    {"a": DAY},
    {"a": str(DAY)},
    {"a": datetime(2025, 1, 2, tzinfo=timezone.utc)},
    {"a": str(datetime(2025, 1, 2, tzinfo=timezone.utc))},
    {"a": time(1, 2)},
    {"a": str(time(1, 2))},
    {"a": "date 2025-01-02"},
    {"a": float("inf")},
    {"a": "Infinity"},
    {"a": float("nan")},
    {"a": "NaN"},
]


def test_every_value_of_a_configuration_counts_with_its_kind(kit):
    with kit.open() as session:
        host = session.host
    made = {policy_hash(attrs.evolve(host.config, tables={"engines": each}), host.pool, None) for each in TABLES}
    assert len(made) == len(TABLES)
    again = policy_hash(attrs.evolve(host.config, tables={"engines": {"b": 1, "a": 2}}), host.pool, None)
    assert again == policy_hash(attrs.evolve(host.config, tables={"engines": {"a": 2, "b": 1}}), host.pool, None)


def test_a_plugins_name_and_fingerprint_are_kept_apart(kit):
    def fingerprint(name, says):
        entry = kit.provider(name, lambda _: "x")
        kit.providers[name].fingerprint = lambda: says
        part = Part("provider", "m", Provenance("acme", "1", "acme"))
        return ProviderInstance(attrs.evolve(spec), entry, {}, part).fingerprint()

    with kit.open(kit.catalog(kit.provider("m", lambda _: "x")), "[delegation.local_models.m]\nprovider = 'm'\n") as it:
        spec = it.host.pool.get(LocalModel("m")).spec
    rows = [("a", "b:c"), ("a:b", "c"), ("a:b:c", ""), ("", "a:b:c")]
    assert len({fingerprint(*row) for row in rows}) == len(rows)


def test_all_of_a_signature_counts():
    one = FunctionSignature("f", "doc", (Parameter("x", None), Parameter("y", None)), None, None, Map.wrap({}), "b")
    others = [
        attrs.evolve(one, name="g"),
        attrs.evolve(one, doc="f"),
        attrs.evolve(one, body_digest="c"),
        attrs.evolve(one, parameters=(Parameter("x", None), Parameter("y", None, True))),
        attrs.evolve(one, parameters=(Parameter("x", None),)),
        attrs.evolve(one, parameters=(Parameter("y", None), Parameter("x", None))),
        attrs.evolve(one, parameters=(Parameter("x", Primitive.ANY), Parameter("y", None))),
        attrs.evolve(one, parameters=(Parameter("x", None), Parameter("y", Primitive.ANY))),
        attrs.evolve(one, parameters=(Parameter("x  False", None), Parameter("y", None))),
        attrs.evolve(one, returns=Primitive.ANY),
        attrs.evolve(one, returns=LiteralType("a")),
        attrs.evolve(one, returns=LiteralType(Keyword("a"))),
    ]
    assert len({signature_text(each, no_names) for each in (one, *others)}) == len(others) + 1


HINTED = """
(defn ^:delegation :local-model "m" f "Ask." [x :string] :string "own")
(defn main [how] (match how 0 (f "q") 1 ^{:runtime.tone "kind"} (f "q") 2 ^{:runtime.tone "harsh"} (f "q")))
"""


def test_the_hints_that_a_provider_sees_are_part_of_a_replys_key(kit, source):
    catalog = kit.catalog(kit.provider("m", lambda request: repr(request.hints), deterministic=True), l2=True)
    with kit.open(catalog, "[delegation.local_models.m]\nprovider = 'm'\n") as session:
        found = [session.run(source(HINTED), (how,), entry="main") for how in (0, 1, 2, 0, 1, 2)]
    assert [call.cache for each in found for call in each.calls if call.kind == "delegated"] == ["l2 miss"] * 3 + [
        "l2 hit"
    ] * 3
    assert [each.value for each in found[:3]] == [each.value for each in found[3:]]
    assert len({each.value for each in found}) == 3


def test_what_an_engine_reads_has_a_key_of_its_own_for_every_value():
    hints = [Map.wrap({Keyword("a"): 1}), Map.wrap({Keyword("a"): 2}), Map.wrap({"a": 1}), Map.wrap({})]
    args = [(1,), ("1",), (1.0,), (True,), (None,), (), ((1,),), (1, 1)]
    assert len({call_reads("f", hints=each).look(("hints",))[0] for each in hints}) == len(hints)
    for read in (("args",), ("types",)):
        assert len({call_reads("f", *each).look(read)[0] for each in args}) == len(args)
