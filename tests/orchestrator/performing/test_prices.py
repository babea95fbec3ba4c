"""Prices that an installed list says: who is asked about what, what goes first, and what a call then costs."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from rtfs_framework.api import ModelPrices, PriceStep, RemoteModel, Usage
from rtfs_framework.orchestrator.config.model import ProviderSpec
from rtfs_framework.orchestrator.performing.cost import cost_of, rates
from rtfs_framework.registry.discover import FoundPlugin
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.clock import FakeClock

URL = "https://api.acme.example/v1"
FULL = ModelPrices(
    model="big-1",
    input=2.0,
    output=8.0,
    cached=0.5,
    request=0.01,
    steps=(PriceStep(1000, 4.0, 16.0, 1.0),),
    context_window=32_000,
    source="acme 3",
    dated="2026-01-02",
)
TABLE = f"[delegation.remote_providers.m]\nprovider = 'm'\nendpoint = '{URL}'\nmodel = 'big'\n"
ASK = """
(defn ^:delegation :remote "m" ask "Say." [text :string] : :string "x")
(defn main [x] (ask x))
"""


class List:
    """Says the same of every model, and notes what it was asked."""

    rtfs_api_version = 2
    source = "acme 3"

    def __init__(self, found=FULL):
        self.found = found
        self.asked = []
        self.loaded = 0

    def load(self):
        self.loaded += 1
        return self

    def price_list(self, directory):
        self.directory = directory
        return self

    def find(self, url, model, day):
        self.asked.append((url, model, day))
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def every(self, _day):
        return [("acme", self.found)]


@pytest.fixture
def opened(kit, remote_settings):
    """Return a function that opens a session with a list of prices and a remote provider."""

    def open_(prices, config=TABLE, *, answer=lambda _: "ok", keys=None, **options):
        provider = kit.provider("m", answer, remote=True, settings=remote_settings, keys=keys or {})
        catalog = kit.catalog(provider)
        if prices is not None:
            found = FoundPlugin("prices", Provenance("acme-prices", "3", "acme"), prices.load, is_data=True)
            catalog = attrs.evolve(catalog, data={"prices": found})
        environ = options.pop("environ", {**kit.environ, "ACME_API_KEY": "k", "RTFS_KEYS__ACME_API_KEY": URL[:-3]})
        return kit.open(catalog, config, environ=environ, **options)

    return open_


def spec_of(session):
    return session.host.pool.get(RemoteModel("m")).spec


def test_a_price_is_looked_up_by_address_and_model(opened):
    prices = List()
    with opened(prices, clock=FakeClock(1_780_000_000.0)) as session:
        spec = spec_of(session)
        candidate = session.host.pool.candidates[0]
        assert session.host.config.providers[-1] == spec
    assert prices.asked == [(URL, "big", date(2026, 5, 28))]
    assert (spec.input_cost, spec.output_cost, spec.cached_cost, spec.request_cost) == (2.0, 8.0, 0.5, 0.01)
    assert (spec.price_steps, spec.context_window, spec.priced_by) == (FULL.steps, 32_000, "acme 3, 2026-01-02")
    assert (candidate.input_cost, candidate.output_cost, candidate.context_window) == (2.0, 8.0, 32_000)
    assert candidate.priced_by == "acme 3, 2026-01-02"


def test_without_an_address_of_its_own_it_is_the_vendors(opened):
    prices = List()
    with opened(prices, TABLE.replace(f"endpoint = '{URL}'\n", ""), keys={"ACME_API_KEY": URL}):
        pass
    assert [url for url, *_ in prices.asked] == [URL]


def test_the_providers_own_prices_go_first(opened):
    with opened(List(), TABLE + "input_cost = 1\noutput_cost = 0\n") as session:
        spec = spec_of(session)
    assert (spec.input_cost, spec.output_cost, spec.cached_cost, spec.request_cost) == (1.0, 0.0, None, 0.0)
    assert (spec.price_steps, spec.context_window) == ((), 32_000)


@pytest.mark.parametrize("name", ["big", "m/big"])
def test_then_goes_what_the_table_of_prices_says(opened, name):
    more = f"[prices.'{name}']\noutput = 3\ncached = 0\ncontext = 8000\n[prices.other]\ninput = 9\n"
    with opened(List(), TABLE + more) as session:
        spec = spec_of(session)
    assert (spec.input_cost, spec.output_cost, spec.cached_cost, spec.context_window) == (2.0, 3.0, 0.0, 8000)


def test_the_closest_name_counts(opened):
    more = "[prices.'m/big']\ninput = 1\n[prices.big]\ninput = 5\noutput = 5\n"
    with opened(None, TABLE + more) as session:
        spec = spec_of(session)
    assert (spec.input_cost, spec.output_cost) == (1.0, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [(URL, "http://127.0.0.1:9/v1"), (URL, "http://localhost/v1"), ("model = 'big'", "model = ''")],
)
def test_nobody_is_asked_where_no_vendors_model_answers(opened, old, new):
    prices = List()
    with opened(prices, TABLE.replace(old, new)) as session:
        assert spec_of(session).input_cost is None
    assert prices.asked == []


def test_a_list_is_not_loaded_where_no_remote_provider_can_be_used(opened, kit):
    prices = List()
    with opened(prices, TABLE.replace(f"endpoint = '{URL}'\n", ""), environ=kit.environ) as session:
        assert spec_of(session).input_cost is None
    assert prices.loaded == 0


def test_what_nobody_knows_stays_unknown(opened, source):
    with opened(List(None), answer=lambda _: "ok") as session:
        result = session.run(source(ASK), ("x",))
    assert (result.value, result.summary.unpriced, result.summary.cost) == ("ok", 1, 0.0)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (OSError("no disk"), "failed: OSError: no disk"),
        (3, "returned a int instead of prices"),
        (attrs.evolve(FULL, input=-1.0), "returned a price that is none"),
        (attrs.evolve(FULL, output=float("nan")), "returned a price that is none"),
    ],
)
def test_a_list_that_breaks_is_told_and_prices_stay_unknown(opened, found, words):
    with opened(List(found)) as session:
        assert spec_of(session).input_cost is None
        (problem,) = session.problems
    assert words in problem.message
    assert "acme-prices" in problem.message
    assert "prices that the configuration does not say are not known" in problem.message


def test_a_list_for_another_api_is_told(opened):
    prices = List()
    prices.rtfs_api_version = 1
    with opened(prices) as session:
        (problem,) = session.problems
    assert "plugin API 1" in problem.message


@pytest.mark.parametrize(
    "change",
    [{"input": 3.0}, {"output": 9.0}, {"cached": 0.1}, {"request": 0.0}, {"steps": ()}, {"context_window": 9}],
    ids=lambda change: next(iter(change)),
)
def test_the_policy_changes_with_every_price(opened, change):
    hashes = []
    for found in (FULL, attrs.evolve(FULL, **change), attrs.evolve(FULL, source="acme 4", dated="2026-02-02")):
        with opened(List(found)) as session:
            hashes.append(session.host.policy_hash)
    assert hashes[0] == hashes[2] != hashes[1]


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(1000, 1000), 0.002 + 0.008 + 0.01),
        (Usage(1000, 0, 1000), 0.0005 + 0.01),
        (Usage(1000, 0, 400), 0.0012 + 0.0002 + 0.01),
        (Usage(1000, 0, 4000), 0.0005 + 0.01),
        (Usage(1001, 1000), 0.004004 + 0.016 + 0.01),
        (Usage(0, 0), 0.0),
        (Usage(None, 0, 3), None),
        (Usage(), None),
    ],
)
def test_a_call_costs_its_tokens_and_its_request(usage, cost):
    spec = ProviderSpec(
        id="m", plugin="p", target=RemoteModel("m"), input_cost=2.0, output_cost=8.0, cached_cost=0.5,
        request_cost=0.01, price_steps=FULL.steps,
    )  # fmt: skip
    found = cost_of(usage, spec)
    assert found == (None if cost is None else pytest.approx(cost))


def test_a_step_that_leaves_a_price_out_leaves_it_as_it_is():
    spec = ProviderSpec(
        id="m", plugin="p", target=RemoteModel("m"), input_cost=2.0, output_cost=8.0, cached_cost=0.5,
        price_steps=(PriceStep(10, 4.0), PriceStep(20, None, 9.0)),
    )  # fmt: skip
    assert [rates(spec, tokens) for tokens in (10, 11, 21)] == [(2.0, 8.0, 0.5), (4.0, 8.0, 0.5), (4.0, 9.0, 0.5)]


def test_cached_tokens_without_a_price_of_their_own_cost_what_others_do():
    spec = ProviderSpec(id="m", plugin="p", target=RemoteModel("m"), input_cost=2.0, output_cost=8.0)
    assert cost_of(Usage(1000, 0, 900), spec) == pytest.approx(0.002)


def test_a_call_is_billed_with_the_price_that_was_found(opened, source):
    from rtfs_framework.api import InferenceReply

    with opened(List(), answer=lambda _: InferenceReply(text="ok", usage=Usage(1000, 1000, 500))) as session:
        result = session.run(source(ASK), ("x",))
    assert result.summary.cost == pytest.approx(0.001 + 0.00025 + 0.008 + 0.01)
