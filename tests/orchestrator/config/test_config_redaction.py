"""`[redaction]`: what a rule says, every mistake with its place and way out, and what an untrusted file may say."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import ConfigError, DelegationPlan, EngineEntry, LocalPure, PlanSource, RuleText
from rtfs_framework.orchestrator.config.tables.redaction import freed_by
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("acme-plugin", "1.2", "acme")


@attrs.frozen(slots=True, kw_only=True)
class Own:
    """An engine's settings that name rules."""

    redact: list[RuleText] = attrs.field(factory=list)


class Engine:
    def claims(self):
        return ("*",)

    def decide(self, context):
        return DelegationPlan(target=LocalPure(), reasoning="home", source=PlanSource.ENGINE)


@pytest.fixture
def catalog():
    entry = EngineEntry(name="careful", summary="", factory=lambda _: Engine(), settings=Own)
    return Catalog(engines={"careful": (entry, WHO)})


def test_a_rule_says_what_it_finds_what_stands_there_then_and_what_it_frees(kit, catalog):
    text = """
[redaction.email]
pattern = '[a-z]+@[a-z.]+'
marks = ["pii", ":internal"]
[redaction.card]
pattern = ['\\d{16}', '\\d{4}( \\d{4}){3}']
with = "****"
"""
    with kit.open(catalog, text) as session:
        rules = session.host.config.redaction
    assert (rules["email"].replacement, rules["card"].replacement) == ("[email]", "****")
    assert rules["card"].patterns == (r"\d{16}", r"\d{4}( \d{4}){3}")
    assert freed_by(rules, ("email", "card", "nobody")) == {"pii", "internal"}
    assert freed_by(rules, ()) == frozenset()


WRONG = [
    ("[redaction.email]\n", "E0704", 1, 12, "add pattern"),
    ("[redaction.email]\npatern = 'x'\n", "E0702", 2, 1, "did you mean 'pattern'?"),
    ("[redaction.email]\npattern = '(x'\n", "E0705", 2, 11, "re-find"),
    ("[redaction.email]\npattern = ['x', '(?=x)']\n", "E0705", 2, 17, "re-find"),
    ("[redaction.email]\npattern = 'x*'\n", "E0705", 2, 11, "what must be there"),
    ("[redaction.email]\npattern = 5\n", "E0703", 2, 11, None),
    ("[redaction.email]\npattern = 'x'\nwith = 5\n", "E0703", 3, 8, "[email]"),
    ("[redaction.email]\npattern = 'x'\nmarks = 'pii'\n", "E0703", 3, 9, None),
    ("[redaction.email]\npattern = 'x'\nmarks = ['p i i']\n", "E0705", 3, 10, "a word"),
    ("[redaction.email]\nrecognizer = 'phone'\n", "E0706", 2, 14, "rtfs-engine-security[pii]"),
    (
        "[engines.careful]\nredact = ['emial']\n[redaction.email]\npattern = 'x'\n",
        "E0706",
        2,
        11,
        "did you mean 'email'?",
    ),
    ("[engines.careful]\nredact = ['email']\n", "E0706", 2, 11, "add [redaction.email]"),
    ("redaction = 5\n", "E0703", 1, 13, None),
]


@pytest.mark.parametrize(("text", "code", "line", "column", "way_out"), WRONG)
def test_every_mistake_has_its_place_and_way_out(kit, catalog, text, code, line, column, way_out):
    with pytest.raises(ConfigError) as raised:
        kit.open(catalog, text).close()
    found = raised.value.diagnostics[0]
    assert (found.code, found.place.line, found.place.column) == (code, line, column), found.render()
    assert way_out is None or way_out in (found.help or ""), found.render()


def test_another_pattern_is_another_policy(kit, catalog):
    def policy(pattern):
        with kit.open(catalog, f"[redaction.email]\npattern = '{pattern}'\n") as session:
            return session.host.policy_hash

    assert policy("x") == policy("x")
    assert policy("x") != policy("y")


def test_an_untrusted_file_has_no_say(found_over_own):
    own = "[redaction.email]\npattern = 'x'\n"
    config = found_over_own("[redaction.email]\npattern = 'y'\n[redaction.card]\npattern = 'z'\n", own)
    assert {name: spec.patterns for name, spec in config.redaction.items()} == {"email": ("x",)}
