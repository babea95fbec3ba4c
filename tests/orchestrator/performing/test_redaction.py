"""Rules of redaction at work: what is sent, what memory and records know of it, and what cannot be redacted."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import DelegationPlan, GuardEntry, Keyword, LocalModel, Map, PlanSource, ProgramError
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.maps import EMPTY_MAP, Set
from rtfs_framework.orchestrator.boundary.failures import RefusedError
from rtfs_framework.orchestrator.config.tables.redaction import RedactionSpec
from rtfs_framework.orchestrator.performing.redaction import Redactor
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.discover import FoundPlugin
from rtfs_framework.registry.problems import Provenance

PROGRAM = '(defn f "Says." [x : :any] : :string "own") (defn main [x] (f x))'
RULES = "[delegation]\non_exhausted = 'error'\n[redaction.email]\npattern = '[a-z]+@[a-z]+\\.[a-z]+'\n"


class Redacting:
    """Sends everything to a model, through some rules."""

    def __init__(self, *rules):
        self.rules = rules

    def claims(self):
        return ("*",)

    def decide(self, context):
        target = LocalModel("m")
        return DelegationPlan(target=target, reasoning="r", source=PlanSource.ENGINE, transform=self.rules)


@pytest.fixture
def hosted(kit):
    """Return a function that opens a session whose engine names rules."""

    def load(*rules, config=RULES, l2=False, answer=lambda _: "said", **more):
        catalog = kit.catalog(kit.provider("m", answer, deterministic=l2), engine=Redacting(*rules), l2=l2, **more)
        return kit.open(catalog, config)

    return load


def redacted(value, *patterns, hints=EMPTY_MAP):
    rules = {f"r{n}": RedactionSpec(name=f"r{n}", patterns=(p,), replacement="[-]") for n, p in enumerate(patterns)}
    call = HostCall(CallKind.DELEGATED, "f", (value,), hints=hints)
    return Redactor(rules, None).redacted(call, rules)


def test_what_a_rule_finds_is_not_sent_and_the_record_says_so(kit, source, hosted):
    with hosted("email") as session:
        result = session.run(source(PROGRAM), ("to ann@acme.org and bob@acme.org",))
    (request,) = kit.providers["m"].requests
    assert request.args == ("to [email] and [email]",)
    assert "acme" not in "".join(message.content for message in request.messages)
    assert ("redaction", "2 replaced by rule email") in result.calls[0].decision.steps


def test_guards_see_what_is_sent(source, hosted):
    seen = []
    guard = SimpleNamespace(check_request=lambda g: seen.append(g.request.args), check_reply=lambda *_: None)
    entry = GuardEntry(name="g", summary="", factory=lambda _: guard)
    with hosted("email", config=RULES + "[guards.g]\n", guards=[entry]) as session:
        session.run(source(PROGRAM), ("to ann@acme.org",))
    assert seen == [("to [email]",)]


def test_memory_knows_the_redacted_request(kit, source, hosted):
    with hosted("email", l2=True) as session:
        first = session.run(source(PROGRAM), ("to ann@acme.org",))
        again = session.run(source(PROGRAM), ("to bob@acme.org",))
        plain = session.run(source(PROGRAM), ("to [email]",))
        other = session.run(source(PROGRAM), ("to nobody",))
    assert [run.calls[0].cache for run in (first, again, plain, other)] == ["l2 miss", "l2 hit", "l2 hit", "l2 miss"]
    assert len(kit.providers["m"].requests) == 2
    assert "acme" not in repr(kit.layers["l2"].records)


def test_a_plan_without_rules_sends_what_is_there(kit, source, hosted):
    with hosted() as session:
        session.run(source(PROGRAM), ("to ann@acme.org",))
    assert kit.providers["m"].requests[0].args == ("to ann@acme.org",)


@pytest.mark.parametrize("rules", [("nobody",), ("email", "nobody")])
def test_a_rule_that_is_not_there_lets_nothing_pass(kit, source, hosted, rules):
    with hosted(*rules) as session, pytest.raises(ProgramError, match="no redaction rule is called 'nobody'"):
        session.run(source(PROGRAM), ("to ann@acme.org",))
    assert not kit.providers["m"].requests


VALUES = [
    ("no", "no", 0),
    (("a@b", 1), ("[-]", 1), 1),
    (Map.of([(Keyword("x"), "a@b a@b")]), Map.of([(Keyword("x"), "[-] [-]")]), 2),
    (Map.of([("a@b", 1), ("c@d", 2), ("[-]", 3)]), Map.of([("[-] 2", 1), ("[-] 3", 2), ("[-]", 3)]), 2),
    (Set.of(["a@b", "c@d", "e"]), Set.of(["[-]", "e"]), 2),
    (Keyword("a@b"), "[-]", 1),
    (None, None, 0),
    (True, True, 0),
]


@pytest.mark.parametrize(("value", "left", "count"), VALUES)
def test_every_kind_of_value(value, left, count):
    call, counts = redacted(value, r"\w@\w")
    assert call.args == (left,)
    assert counts == (("r0", count),)


def test_numbers_count_as_they_are_written():
    call, _ = redacted((4111111111111111, 42), r"\d{16}")
    assert call.args == (("[-]", 42),)


def test_hints_are_told_to_providers_too():
    hints = Map.of([(Keyword("tag"), "for a@b")])
    call, counts = redacted("x", r"\w@\w", hints=hints)
    assert call.hints == Map.of([(Keyword("tag"), "for [-]")])
    assert counts == (("r0", 1),)


def test_rules_are_applied_in_their_order():
    call, counts = redacted("a@b", r"\w@\w", r"\[")
    assert (call.args, counts) == (("[-]-]",), (("r0", 1), ("r1", 1)))


def test_what_is_not_changed_is_the_same_object():
    value = ("a", Map.of([("b", "c")]))
    assert redacted(value, "zzz")[0].args[0] is value


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.text("ab@", max_size=6))
def test_nothing_that_fits_is_left_whatever_stands_around_it(before, inside):
    call, _ = redacted(before + "a@b" + inside, "a@b")
    assert "a@b" not in call.args[0]
    assert call.args[0].startswith(before.replace("a@b", "[-]"))


def test_what_cannot_be_looked_at_is_refused():
    deep = "x"
    for _ in range(300):
        deep = (deep,)
    with pytest.raises(RefusedError, match="deeper than 200 levels"):
        redacted(deep, "x")
    with pytest.raises(RefusedError, match="too long"):
        redacted("x" * 2_000_000, r"[a-z]{1,60}y")


class Words:
    """Finds a word."""

    def __init__(self, find):
        self.find = find

    def fingerprint(self):
        return "words-1"


def recognizing(find, **module):
    made = SimpleNamespace(rtfs_api_version=2, recognizers=lambda: {"word": Words(find)}, **module)
    who = Provenance("acme-pii", "1", "acme")
    return Catalog(data={"recognizers": FoundPlugin("recognizers", who, lambda: made, is_data=True)})


def by_recognizer(find, text):
    spec = RedactionSpec(name="r", recognizer="word", replacement="[-]")
    call = HostCall(CallKind.DELEGATED, "f", (text,))
    return Redactor({"r": spec}, recognizing(find)).redacted(call, ["r"])[0].args[0]


def test_a_recognizer_finds_too():
    assert by_recognizer(lambda text: [(text.index("ann"), text.index("ann") + 3)], "dear ann!") == "dear [-]!"


@pytest.mark.parametrize("found", [[(0, 99)], [(3, 1)], [(0, 2), (1, 3)], [5], [("a", "b")], None])
def test_a_recognizer_that_breaks_lets_nothing_pass(found):
    with pytest.raises(RefusedError, match="could not be applied"):
        by_recognizer(lambda _: found, "dear ann!")
