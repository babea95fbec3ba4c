"""What is in force and goes beyond what was signed: each kind of it, in either direction."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.orchestrator.running.exceeding import beyond
from rtfs_framework.orchestrator.running.manifests import CapabilityTable, GrantTable, KeptTable, Manifest

SIGNED = Manifest(
    program="p.rtfs",
    digest="d",
    isolation="isolated",
    targets={"remote-far": {"plugin": "openai", "model": "m", "at": "https://one.example"}},
    sets={"kv": {"base": ".", "settings": {"file": "kv.sqlite"}}},
    capability=(
        CapabilityTable(
            id="fs.read",
            effects=("file-read",),
            offered_by="acme",
            grant=(GrantTable(allows={"roots": ["a"]}), GrantTable(allows={"roots": ["b"]})),
        ),
        CapabilityTable(id="gone"),
    ),
    accepts={"remote-far": ("pii",), "capability fs.read": ("*",)},
    kept=KeptTable(caches=("l1", "l2")),
    budgets={"day": {"per": "day", "usd": 1.0, "scope": {"target": ["remote-far"]}}},
    quota={"calls": 5},
)


def changed(**how):
    return attrs.evolve(SIGNED, **how)


def read(**how):
    return changed(capability=(attrs.evolve(SIGNED.capability[0], **how),))


BUDGET = SIGNED.budgets["day"]


@pytest.mark.parametrize(
    "now",
    [
        SIGNED,
        changed(isolation="sandboxed"),
        changed(targets={}),
        changed(targets={"remote-far": {}}),
        changed(sets={}),
        changed(capability=()),
        read(grant=SIGNED.capability[0].grant[1:]),
        read(effects=()),
        changed(accepts={"remote-far": (), "capability fs.read": ("a", "b")}),
        changed(kept=KeptTable()),
        changed(budgets={"day": {**BUDGET, "usd": 0.5, "tokens": 9}, "more": {"per": "hour"}}),
        changed(quota={"calls": 4, "usd": 1.0}),
    ],
    ids=lambda _: "",
)
def test_what_is_the_same_or_narrower_is_let_pass(now):
    assert list(beyond(SIGNED, now)) == []


@pytest.mark.parametrize(
    ("now", "where", "said"),
    [
        (changed(isolation="inherit"), ("isolation",), "'inherit' here, and 'isolated' was signed"),
        (changed(targets={"remote-far": {**SIGNED.targets["remote-far"], "at": "https://two.example"}}),
         ("targets", "remote-far"), "two.example"),
        (changed(targets={"remote-far": {**SIGNED.targets["remote-far"], "model": "n"}}), ("targets", "remote-far"),
         "is another one now"),
        (changed(sets={"kv": {"base": ".", "settings": {"file": "/etc/kv"}}}), ("sets", "kv"), "[capabilities.kv]"),
        (changed(sets={"mcp": {"base": "."}}), ("sets", "mcp"), "nothing was signed of it"),
        (read(grant=(GrantTable(allows={"roots": ["a", "b"]}),)), ("capability", 0, "grant"), '"roots": ["a", "b"]'),
        (read(grant=(GrantTable(allows={"roots": ["a"]}, base=".."),)), ("capability", 0, "grant"), "the folder .."),
        (read(grant=(GrantTable(allows={"roots": ["a"], "most": 1}),)), ("capability", 0, "grant"), '"most": 1'),
        (read(effects=("file-read", "network")), ("capability", 0, "effects"), "network"),
        (read(offered_by="mallory"), ("capability", 0, "offered_by"), "mallory"),
        (changed(accepts={"remote-far": ("pii", "secret")}), ("accepts", "remote-far"), ":secret"),
        (changed(accepts={"remote-far": ("*",)}), ("accepts", "remote-far"), "takes"),
        (changed(accepts={}), ("accepts",), "nothing carries marks here"),
        (changed(kept=KeptTable(caches=("l1", "l2", "redis"))), ("kept", "caches"), "redis"),
        (changed(budgets={"day": {**BUDGET, "usd": 1.5}}), ("budgets", "day"), "usd"),
        (changed(budgets={"day": {**BUDGET, "per": "hour"}}), ("budgets", "day"), "per"),
        (changed(budgets={"day": {**BUDGET, "scope": {"target": ["local-x"]}}}), ("budgets", "day"), "scope"),
        (changed(budgets={}), ("budgets", "day"), "is gone"),
        (changed(quota={"calls": 6}), ("quota", "calls"), "larger now, or gone"),
        (changed(quota={}), ("quota", "calls"), "larger now, or gone"),
    ],
    ids=lambda part: "-".join(map(str, part)) if isinstance(part, tuple) else "",
)  # fmt: skip
def test_what_allows_more_is_told_with_its_place(now, where, said):
    found = dict(beyond(SIGNED, now))
    assert where in found
    assert said in found[where]


@pytest.mark.parametrize("value", ["1", None, [1], True])
def test_a_bound_that_somebody_mistyped_bounds_no_less(value):
    signed = changed(budgets={"day": {**BUDGET, "usd": value}}, isolation="nothing like it")
    assert {where for where, _ in beyond(signed, SIGNED)} >= {("isolation",)}
    assert value is True or ("budgets", "day") in dict(beyond(signed, SIGNED))
