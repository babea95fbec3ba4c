"""The prices of `genai-prices`: found by address and model, as of a day; kept; never from a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, time
from decimal import Decimal

import attrs
import pytest
from genai_prices import types

from rtfs_data_prices import snapshot
from rtfs_data_prices.plugin import price_list
from rtfs_framework.api import ModelPrices, PriceStep

OPENAI = "https://api.openai.com/v1"
DAY = date(2026, 6, 1)


def mtok(**prices):
    return types.ModelPrice(**{f"{name}_mtok": Decimal(value) for name, value in prices.items()})


@pytest.fixture
def known(monkeypatch):
    """Return a function that makes one vendor with one model the only data."""

    def only(prices, **more):
        model = types.ModelInfo(id="big-1", match=types.ClauseStartsWith(starts_with="big"), prices=prices, **more)
        vendor = types.Provider(id="acme", name="Acme", api_pattern=r"https://api\.acme\.example", models=[model])
        monkeypatch.setattr(snapshot, "providers", [vendor])
        snapshot._newest.cache_clear()

    yield only
    snapshot._newest.cache_clear()


def look(day=DAY, model="big", url="https://api.acme.example/v1"):
    found = snapshot.find(url, model, day)
    return None if found is None else found.prices


def test_a_known_model_has_its_prices_its_window_and_who_says_so(tmp_path):
    found = price_list(tmp_path).find(OPENAI, "gpt-4o-mini-2024-07-18", DAY)
    assert (found.model, found.input, found.output, found.cached) == ("gpt-4o-mini", 0.15, 0.6, 0.075)
    assert found.context_window == 128_000
    assert found.source == price_list(tmp_path).source == snapshot.SOURCE
    assert date.fromisoformat(found.dated) <= DAY


@pytest.mark.parametrize(
    ("url", "model"),
    [
        (OPENAI, "no-such-model"),
        ("https://gateway.example/v1", "gpt-4o-mini"),
        ("https://api.openai.com.evil.example/v1", "gpt-4o-mini"),
        ("http://api.openai.com/v1", "gpt-4o-mini"),
    ],
)
def test_what_is_not_known_is_none(tmp_path, url, model):
    prices = price_list(tmp_path)
    assert [prices.find(url, model, DAY) for _ in range(2)] == [None, None]


def test_long_requests_have_prices_of_their_own(tmp_path):
    found = price_list(tmp_path).find("https://api.anthropic.com", "claude-sonnet-4-5", DAY)
    assert (found.input, found.steps) == (3.0, (PriceStep(200_000, 6.0, 22.5, 0.6),))


def test_a_price_holds_from_its_day(known):
    known(
        [
            types.ConditionalPrice(prices=mtok(input="1", output="2")),
            types.ConditionalPrice(constraint=types.StartDateConstraint(date(2026, 7, 1)), prices=mtok(input="3")),
        ],
        context_window=9,
    )
    before, after = look(date(2026, 6, 30)), look(date(2026, 7, 1))
    assert (before.input, before.output, before.dated) == (1.0, 2.0, "")
    assert (after.input, after.output, after.dated, after.context_window) == (3.0, None, "2026-07-01", 9)
    assert snapshot.find("https://api.acme.example", "big", DAY).until == date(2026, 7, 1)


def test_where_the_hour_counts_the_dearest_does(known):
    night = types.TimeOfDateConstraint(start_time=time(16, 30), end_time=time(0, 30))
    known(
        [
            types.ConditionalPrice(prices=mtok(input="4", output="8")),
            types.ConditionalPrice(constraint=night, prices=mtok(input="1", output="2")),
        ]
    )
    assert (look().input, look().output) == (4.0, 8.0)


def test_steps_are_those_of_all_prices(known):
    tiers = types.TieredPrices(
        base=Decimal(1), tiers=[types.Tier(start=200, price=Decimal(3)), types.Tier(start=100, price=Decimal(2))]
    )
    known(types.ModelPrice(input_mtok=tiers, output_mtok=Decimal(5), requests_kcount=Decimal(12)))
    found = look()
    assert (found.input, found.output, found.cached, found.request) == (1.0, 5.0, None, 0.012)
    assert found.steps == (PriceStep(100, 2.0, 5.0, None), PriceStep(200, 3.0, 5.0, None))


def test_every_model_of_the_data_can_be_read(tmp_path):
    found = list(price_list(tmp_path).every(DAY))
    assert len(found) > 1000
    assert {vendor for vendor, _ in found} >= {"openai", "anthropic", "google", "mistral"}
    numbers = [each for _, prices in found for each in (prices.input, prices.output, prices.cached, prices.request)]
    assert all(each is None or each >= 0 for each in numbers)


KNOWN = """
import json, sys
from datetime import date
from pathlib import Path
from rtfs_data_prices.plugin import price_list
found = price_list(Path(sys.argv[1])).find(sys.argv[2], "gpt-4o-mini", date.fromisoformat(sys.argv[3]))
print(json.dumps([found.input, sorted({"genai_prices", "pydantic", "socket"} & set(sys.modules))]))
"""


def ask(folder, day=DAY):
    command = [sys.executable, "-I", "-c", KNOWN, str(folder), OPENAI, day.isoformat()]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_what_was_looked_up_is_not_looked_up_again(tmp_path):
    first, again = ask(tmp_path), ask(tmp_path)
    assert first[0] == again[0] == 0.15
    assert "genai_prices" in first[1]
    assert again[1] == []
    if os.name == "posix":
        assert (tmp_path / "prices.json").stat().st_mode & 0o022 == 0


def test_what_is_kept_has_all_that_was_found(tmp_path):
    url, model = "https://api.anthropic.com", "claude-sonnet-4-5"
    first, again = (price_list(tmp_path).find(url, model, DAY) for _ in range(2))
    assert first == again
    assert isinstance(again.steps[0], PriceStep)


def kept(folder):
    return json.loads((folder / "prices.json").read_text())


def change(folder, **values):
    data = kept(folder)
    data["found"][f"{OPENAI} gpt-4o-mini"] |= values
    (folder / "prices.json").write_text(json.dumps(data))


def test_what_is_kept_holds_until_the_next_price_and_not_before_it_was_looked_up(tmp_path):
    prices = price_list(tmp_path)
    found = attrs.asdict(prices.find(OPENAI, "gpt-4o-mini", DAY))
    change(tmp_path, until="2026-06-03", prices={**found, "input": 77.0})
    assert prices.find(OPENAI, "gpt-4o-mini", date(2026, 6, 2)).input == 77.0
    assert prices.find(OPENAI, "gpt-4o-mini", date(2026, 6, 3)).input == 0.15
    change(tmp_path, prices={**found, "input": 77.0})
    assert prices.find(OPENAI, "gpt-4o-mini", date(2026, 6, 1)).input == 0.15


DAMAGED = ["", "{", "[]", '{"of": 3, "found": {}}', "\x00", '{"found": {"x": 1}}', "[" * 100_000]


@pytest.mark.parametrize("text", DAMAGED, ids=lambda text: text[:9])
def test_a_damaged_file_counts_as_none(tmp_path, text):
    (tmp_path / "prices.json").write_text(text)
    assert price_list(tmp_path).find(OPENAI, "gpt-4o-mini", DAY).input == 0.15
    assert f"{OPENAI} gpt-4o-mini" in kept(tmp_path)["found"]


@pytest.mark.parametrize("values", [{"prices": {"input": 1.0}}, {"prices": 3}, {"prices": {"x": 1}}, {"until": 5}])
def test_a_damaged_entry_counts_as_none(tmp_path, values):
    price_list(tmp_path).find(OPENAI, "gpt-4o-mini", DAY)
    change(tmp_path, **values)
    assert price_list(tmp_path).find(OPENAI, "gpt-4o-mini", DAY).input == 0.15


def test_other_data_makes_what_is_kept_useless(tmp_path):
    prices = price_list(tmp_path)
    found = attrs.asdict(prices.find(OPENAI, "gpt-4o-mini", DAY))
    change(tmp_path, prices={**found, "input": 77.0})
    data = kept(tmp_path)
    (tmp_path / "prices.json").write_text(json.dumps({**data, "of": [*data["of"][:2], 1]}))
    assert price_list(tmp_path).find(OPENAI, "gpt-4o-mini", DAY).input == 0.15


def test_a_folder_that_cannot_be_written_costs_time_and_nothing_else(tmp_path):
    (tmp_path / "file").write_text("")
    assert price_list(tmp_path / "file" / "inside").find(OPENAI, "gpt-4o-mini", DAY).input == 0.15


def test_the_file_is_bounded(tmp_path, known):
    known(mtok(input="1"))
    prices = price_list(tmp_path)
    for number in range(520):
        prices.find("https://api.acme.example", f"big-{number}", DAY)
    found = kept(tmp_path)["found"]
    assert len(found) == 512
    assert "https://api.acme.example big-519" in found


def test_it_never_asks_a_network(tmp_path, monkeypatch):
    def refuse(*_args, **_more):
        raise AssertionError("a socket was made")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    assert isinstance(price_list(tmp_path).find(OPENAI, "gpt-4o", DAY), ModelPrices)
