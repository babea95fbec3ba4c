"""What a run would cost, before anything is paid: ranges that hold, and nothing that leaves."""

from __future__ import annotations

import pytest

from rtfs_framework.api import (
    ConfigError,
    DelegationPlan,
    InferenceReply,
    LanguageError,
    PlanSource,
    Usage,
    parse_type,
)
from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.orchestrator.explaining.estimating.stand_in import NONE, stand_in, variety
from rtfs_framework.orchestrator.explaining.estimating.tokens import Span, is_bounded, of_reply

PRICED = """
[delegation.remote_providers.m]
input_cost = 1000
output_cost = 2000
[delegation.remote_providers.n]
"""
TRIAGE = """
(defn ^:delegation :remote "m" mood "The mood." [text :string] : [:enum "good" "bad" "ugly"] "good")
(defn ^:delegation :remote "m" draft "An answer." [text :string] : :string "x")
(defn main [text] (if (= (mood text) "bad") (draft text) "fine"))
"""


@pytest.fixture
def estimate(kit, capability, observer):
    """Return a function that estimates a program; nobody may be asked meanwhile, and nobody hears of it."""
    heard = []

    def never(*_):
        raise AssertionError("somebody was asked")

    def made(text, inputs=(), config=PRICED, *, engine=None, l2=False, **more):
        catalog = kit.catalog(
            kit.provider("m", never, remote=True, **more),
            kit.provider("n", never, remote=True),
            kit.provider("own", never, defaults={"own": {}}),
            engine=engine,
            l2=l2,
            capabilities=[capability("acme.read", never, names=("acme-read",))],
            observers=[observer("o", heard.append)],
        )
        with kit.open(catalog, f'{config}\n[security]\ngrant = ["acme.*"]\n', journal=False) as session:
            heard.clear()
            found = session.estimate(Source("a.rtfs", text), inputs)
            assert all(not provider.requests for provider in kit.providers.values())
            assert session.host.journal is None
        assert [event.name for event in heard if event.name.startswith("call.")] == []
        assert not kit.journal.exists()
        return found

    return made


def by_symbol(found):
    return {site.symbol: site for site in found.sites}


def test_every_alternative_of_an_answer_is_tried(estimate):
    sites = by_symbol(estimate(TRIAGE, [("a",), ("b",)]))
    assert sites["mood"].calls == Span(2, 2)
    assert sites["draft"].calls == Span(0, 2)
    assert (sites["mood"].target, sites["mood"].source) == ("remote m", "hint")
    assert sites["mood"].place == "a.rtfs:4:26"


def test_a_range_holds_what_a_run_then_costs(estimate, kit, source):
    """Tokens as a vendor counts them: about four bytes each."""
    found = estimate(TRIAGE, [("a text of some length, for a change",), ("b",)])
    sites = by_symbol(found)

    def answer(request):
        size = sum(len(message.content) for message in request.messages)
        said = "bad" if request.function.name == "mood" else "a draft of an answer"
        data = {"data": said, "structured": True} if request.schema is not None else {"text": said}
        return InferenceReply(**data, usage=Usage(size // 4, 8))

    with kit.open(kit.catalog(kit.provider("m", answer, remote=True), kit.provider("n", answer)), PRICED) as session:
        program = session.load(source(TRIAGE))
        results = [program.call("main", (text,)) for text in ("a text of some length, for a change", "b")]
    calls = [call for result in results for call in result.calls]
    for name, site in sites.items():
        own = [call for call in calls if call.symbol == name]
        assert site.calls.low <= len(own) <= site.calls.high
        assert site.input_tokens.low <= sum(call.input_tokens for call in own) <= site.input_tokens.high
    assert found.cost.low <= sum(result.summary.cost for result in results) <= found.cost.high


def test_the_sum_is_that_of_the_sites(estimate):
    found = estimate(TRIAGE, [("a",)])
    assert found.unknown == 0
    assert found.cost.high == pytest.approx(sum(site.cost.high for site in found.sites))
    assert found.to_json()["cost"] == found.to_json()["known_cost"]


def test_what_has_no_price_is_said(estimate):
    text = TRIAGE.replace(':remote "m" draft', ':remote "n" draft')
    found = estimate(text, [("a",)])
    assert by_symbol(found)["draft"].cost is None
    assert (found.unknown, found.to_json()["cost"]) == (1, None)
    assert found.cost.high == by_symbol(found)["mood"].cost.high


def test_a_site_that_no_dry_run_reaches_is_named(estimate):
    text = TRIAGE.replace('(= (mood text) "bad")', "(= (count (draft text)) 7)").replace(
        '(draft text) "fine', '(mood text) "fine'
    )
    found = estimate(text, [("a",)])
    assert "mood" not in by_symbol(found)
    assert any(note.startswith("mood (a.rtfs:2:1, -> remote m) was reached by no dry run") for note in found.not_known)


def test_more_calls_of_a_site_count_each(estimate):
    text = TRIAGE + '(defn all [] nil)\n(mood "a")\n(map mood ["a" "b" "c"])'
    found = estimate(text)
    assert sorted(site.calls.high for site in found.sites) == [1, 3]
    assert found.inputs == 0


def test_equal_calls_whose_reply_is_reused_cost_once(estimate):
    config = PRICED.replace("output_cost = 2000", 'output_cost = 2000\nreuse = "always"')
    inputs = [("a",), ("a",), ("b",)]
    twice, once = (estimate(TRIAGE, inputs, config, l2=l2) for l2 in (False, True))
    assert by_symbol(twice)["mood"].calls == by_symbol(once)["mood"].calls == Span(3, 3)
    assert by_symbol(once)["mood"].cost.high == pytest.approx(by_symbol(twice)["mood"].cost.high * 2 / 3)
    assert any("equal earlier ones" in note for note in by_symbol(once)["mood"].notes)


def test_a_capability_is_not_performed(estimate):
    text = TRIAGE.replace('(mood text) "bad"', '(mood (str (acme-read text))) "bad"')
    found = estimate(text, [("a",)])
    assert found.failed == 0
    assert "capability acme.read is not performed: what follows from its answer is not known" in found.not_known


def test_a_program_that_fails_with_stand_ins_counts_as_far_as_it_came(estimate):
    text = TRIAGE.replace('"fine"', '(throw {:kind "Odd"})')
    found = estimate(text, [("a",), ("b",)])
    assert found.failed == 2
    assert found.first_failure.startswith("input 1: ")
    assert by_symbol(found)["draft"].calls == Span(0, 2)


def test_top_level_forms_that_fail_are_told(estimate):
    found = estimate(TRIAGE + '(nth [] (count (draft "x")))\n', [("a",)])
    assert found.first_failure.startswith("top-level forms: ")
    assert found.failed > 0


def test_own_bodies_and_local_models_cost_nothing(estimate):
    text = '(defn ^:delegation :local-model "own" f [x :string] : :string x)\n(defn main [x] (f x))'
    (site,) = estimate(text, [("a",)]).sites
    assert (site.target, site.cost) == ("local-model own", Span(0.0, 0.0))


def test_an_engine_that_would_ask_a_model_first_asks_nobody(estimate, fake_engine):
    class Asking(fake_engine):
        def decide(self, context):
            context.consult(RemoteModel("m"), "Which one?")
            return DelegationPlan(target=LocalModel("own"), reasoning="heard", source=PlanSource.ENGINE)

    text = "(defn f [x :string] : :string x)\n(defn main [x] (f x))"
    found = estimate(text, [("a",)], engine=Asking())
    targets = {site.target: site for site in found.sites}
    assert set(targets) == {"remote m", "what remote m says"}
    assert targets["remote m"].cost.low > 0
    assert targets["what remote m says"].cost is None, "it may go to a provider without a price"


def test_a_program_that_is_malformed_is_refused(estimate):
    with pytest.raises(LanguageError):
        estimate("(defn main [x] (f x)")


def test_a_configuration_that_is_wrong_is_refused(estimate):
    with pytest.raises(ConfigError):
        estimate(TRIAGE, config="[prices.m]\ninput = -1\n")


TYPES = [
    ":int", ":float", ":string", ":bool", ":nil", ":keyword", ":symbol", ":any", "[:vector :int]", "[:list :string]",
    "[:set :int]", "[:tuple :int :string]", "[:map [:a :int] [:b :string ?]]", "[:map-of :string :int]",
    "[:union :int :string]", "[:optional :int]", '[:enum "a" "b"]', "[:val 3]", "[:and :int [:> 10]]",
    "[:and :string [:min-length 3]]", "[:and :int [:>= 5] [:<= 7]]", "[:array :int [2 ?]]",
    "[:vector [:map [:k [:enum :x :y]] [:n [:optional :float]]]]",
]  # fmt: skip


@pytest.mark.parametrize("text", TYPES)
@pytest.mark.parametrize("variant", range(4))
def test_a_stand_in_fits_its_type(text, variant):
    type_ = parse_type(text)
    found = stand_in(type_, no_names, variant)
    assert found is not NONE
    assert violation(type_, found) is None


@pytest.mark.parametrize("text", ["[:fn [:int] :int]", "[:resource File]", "[:and :int [:> 5] [:< 3]]", ":never"])
def test_where_no_value_is_known_there_is_none(text):
    assert stand_in(parse_type(text), no_names, 0) is NONE


def test_variants_show_every_alternative():
    type_ = parse_type('[:map [:k [:enum "a" "b" "c"]]]')
    assert variety(type_, no_names) == 3
    assert len({str(stand_in(type_, no_names, variant)) for variant in (1, 3, 5)}) == 3
    assert variety(parse_type(":int"), no_names) == 2


@pytest.mark.parametrize(
    ("text", "high"), [(":bool", 10), ('[:enum "a" "bbbbbbbbbb"]', 14), (":string", 100), ("[:vector :int]", 100)]
)
def test_a_type_bounds_its_reply(text, high):
    found = of_reply(parse_type(text), 100)
    assert found.high == high
    assert is_bounded(parse_type(text)) == (high < 100)
