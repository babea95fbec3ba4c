"""The world that a case imagines is what the policy sees; what it does not say is as where nobody measures anything."""

from __future__ import annotations

import pytest

from rtfs_framework.api import ConfigError, DelegationPlan, Health, LocalModel, LocalPure, PlanSource, RemoteModel
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.orchestrator.explaining.policy.cases import read_cases
from rtfs_framework.orchestrator.explaining.policy.judge import Judge

M, OTHER, NORTH = LocalModel("m"), LocalModel("other"), RemoteModel("north")
HEAD = "program = 'a.rtfs'\n[[case]]\ncall = '(f \"x\")'\n"
FINAL = "attempts = [{target = 'local-m', kind = 'final'}]"
ROUTES = '[delegation.static_routes]\nf = ["local-m", "local-other"]\n'


class Engine:
    """Sends to `m`, and says what it saw."""

    def __init__(self, seen):
        self.seen = seen

    def claims(self):
        return ("f",)

    def decide(self, context):
        saw = str(self.seen(context))
        return DelegationPlan(target=M, reasoning=f"saw {saw}", source=PlanSource.ENGINE)


@pytest.fixture
def verdict(kit, source, tmp_path):
    """Return what judges one case, by an engine or by the routes of a configuration."""
    (tmp_path / "a.rtfs").write_text("(defn f [x] :own)")

    def judge(case, seen=None, config=""):
        (tmp_path / "policy.toml").write_text(HEAD + case)
        engine = None if seen is None else Engine(seen)
        models = [kit.provider(name, lambda _: "asked") for name in ("m", "other")]
        models += [kit.provider(name, lambda _: "", remote=True, travels=name == "north") for name in ("north", "big")]
        with kit.open(kit.catalog(*models, engine=engine, l1=True), config) as session:
            read = lambda path, _case: source(path.read_text())  # noqa: E731
            (found,) = read_cases(tmp_path / "policy.toml").cases
            made = Judge(session.host, Limits(), read).verdict(found)
        assert all(not each.requests for each in kit.providers.values()), "somebody was asked"
        return made

    return judge


@pytest.mark.parametrize(
    ("case", "seen", "saw"),
    [
        ("", lambda c: (c.health(M).value, c.latency(M), c.load(M), c.budget("b").value, c.rate("r").value),
         "('closed', None, 0, 'plenty', 'plenty')"),
        ("health = {local-m = 'open'}", lambda c: (c.health(M).value, c.health(OTHER).value), "('open', 'closed')"),
        ("latency = {local-m = [0.5, 2.0]}", lambda c: c.latency(M).p95, "2.0"),
        ("load = {local-m = 8}", lambda c: c.load(M), "8"),
        ("price = {local-m = {input = 1.5}}", lambda c: (c.price(M).input, c.price(M).output), "(1.5, None)"),
        ("budget = {daily = 'little'}", lambda c: c.budget("daily").value, "little"),
        ("rate = {daily = 'nothing'}", lambda c: c.rate("daily").value, "nothing"),
        ("hints = '{:timeout 5}'", lambda c: len(c.hints), "1"),
        ("metadata = {confidence = 0.25, context = {intent = 'ask'}}",
         lambda c: (c.metadata.confidence, dict(c.metadata.context)), "(0.25, {'intent': 'ask'})"),
        ("attempts = [{target = 'local-other', kind = 'safe', seconds = '2s', guard = 'g', reason = 'r'}]",
         lambda c: [(a.target == OTHER, a.kind.value, a.seconds, a.guard, a.reason) for a in c.attempts],
         "[(True, 'safe', 2.0, 'g', 'r')]"),
        ("answers = {local-other = 'blue'}", lambda c: c.consult(OTHER, "which?"), "blue"),
        ("answers = {local-other = 'blue'}\nsure = {local-other = 0.25}", lambda c: c.hear(OTHER, "which?").confidence,
         "0.25"),
        ("answers = {local-other = 'blue'}", lambda c: c.hear(OTHER, "which?").confidence, "None"),
        ("", lambda c: c.draw("a") == c.draw("a"), "True"),
        ("agent = 'clerk'\nenvironment = {region = 'eu'}\nconstraints = {latency = 'low'}\ntime_class = 'night'",
         lambda c: (c.agent, dict(c.environment), dict(c.constraints), c.time_class),
         "('clerk', {'region': 'eu'}, {'latency': 'low'}, 'night')"),
        ("", lambda c: (c.agent, dict(c.environment), dict(c.constraints), c.time_class), "('', {}, {}, '')"),
    ],
)  # fmt: skip
def test_an_engine_sees_the_world_of_the_case(verdict, case, seen, saw) -> None:
    found = verdict(f"expect = 'local-m'\n{case}", seen)
    assert (found.ok, found.reasoning) == (True, f"saw {saw}")


HOST = """
[case.offer.remote-north]
room = "little"
accepts = [":pii"]
capabilities = ["db.read"]
[[case.offer.remote-north.targets]]
target = "remote big"
input_cost = 1.0
output_cost = 2
quality = 0.8
accepts = []
[[case.offer.remote-north.targets]]
target = "local m"
health = "open"
quality = 0.9
"""


def test_an_engine_sees_what_another_host_is_said_to_offer(verdict):
    def seen(context):
        offer = context.offer(NORTH)
        big, small = offer.targets
        said = offer.host, offer.room.value, sorted(offer.accepts), offer.capabilities, offer.cheapest, offer.quality
        return *said, big.target, big.accepts == frozenset(), small.accepts, small.health.value

    saw = "saw ('north', 'little', ['pii'], ('db.read',), 3.0, 0.8, 'remote big', True, None, 'open')"
    assert verdict(f"expect = 'local-m'{HOST}", seen).reasoning == saw
    assert verdict("expect = 'local-m'", lambda c: c.offer(NORTH)).reasoning == "saw None"


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        ("remote-big = {}", "remote-big is no other RTFS host"),
        ("local-m = {}", "local-m is no other RTFS host"),
        ("remote-south = {}", "south"),
        ("remote-north = {room = 'vast'}", "room"),
        ("remote-north = {targets = [{target = 'remote big', quality = 2}]}", "quality"),
        ("remote-north = {targets = [{input_cost = -1, target = 'remote big'}]}", "input_cost"),
    ],
)
def test_an_offer_that_means_nothing_is_told_with_its_place(verdict, offer, said):
    with pytest.raises(ConfigError, match=said) as raised:
        verdict(f"expect = 'local-m'\noffer = {{{offer}}}")
    assert "policy.toml:5:" in str(raised.value)


def test_a_question_without_an_answer_is_told(verdict) -> None:
    found = verdict("expect = 'local-m'", lambda c: c.consult(OTHER, "which?"))
    assert (found.ok, found.got) == (False, "a question to local-model other")


@pytest.mark.parametrize(
    ("case", "config", "got"),
    [
        ("", "", "local-model m"),
        ("attempts = [{target = 'local-m', kind = 'uncertain'}]", "", "local-model other"),
        (FINAL, "", "local-pure"),
        (FINAL, '[delegation]\non_exhausted = "error"\n', "the error"),
        (FINAL, '[delegation]\non_exhausted = "ask"\n', "a person is asked"),
        ("attempts = [{target = 'local-m', kind = 'safe'}]\nhealth = {local-other = 'open'}", "", "local-model m"),
        ("", '[security]\ndeny = ["f"]\n', "denied"),
    ],
)  # fmt: skip
def test_routes_go_on_after_what_was_tried(verdict, case, config, got) -> None:
    assert verdict(f"expect = ['local-pure', 'denied', 'error', 'ask']\n{case}", config=config + ROUTES).got == got


def test_the_own_world_of_the_host_is_not_looked_at(kit, verdict) -> None:
    assert verdict("expect = 'local-m'", lambda c: c.health(M) is Health.CLOSED).reasoning == "saw True"
    assert verdict("expect = ['local-pure', 'local-m']", lambda c: c.default == LocalPure()).ok


def test_surroundings_that_a_case_does_not_say_are_the_host_s_but_the_hour_is_none(verdict):
    found = verdict("expect = 'local-m'", lambda c: (c.agent, c.time_class), "[security]\nagent = 'clerk'\n")
    assert found.reasoning == "saw ('clerk', '')"
