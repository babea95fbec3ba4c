"""`rtfs prices` and what `rtfs config show` says of prices: who says what, and since when."""

from __future__ import annotations

import pytest

CONFIG = """
[delegation.remote_providers.acme]
provider = "openai"
endpoint = "https://models.acme.example/v1"
model = "acme-large"
api_key_env = ""
output_cost = 6
[prices."acme-large"]
input = 1.5
context = 64000
"""

pytestmark = pytest.mark.needs("rtfs-provider-openai")
listed = pytest.mark.needs("rtfs-data-prices")


@pytest.fixture(autouse=True)
def key(monkeypatch) -> None:
    """Let the vendor's own provider be usable."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture
def configured(folder):
    """Let a configuration count."""
    (folder / "own.toml").write_text(CONFIG, encoding="utf-8")
    return folder / "own.toml"


def test_a_price_of_the_configuration(rtfs, configured) -> None:
    result = rtfs("prices", "show", "ACME-large", "--config", configured, "--json")
    (used,) = result.data["used"]
    assert result.code == 0
    assert used == {
        "target": "remote-acme",
        "model": "acme-large",
        "input": 1.5,
        "output": 6.0,
        "cached": None,
        "request": 0.0,
        "context": 64_000,
        "source": "the configuration",
    }


def test_words_have_a_question_mark_for_what_is_not_known(rtfs, configured) -> None:
    lines = rtfs("prices", "show", "acme", "--config", configured).lines
    assert lines[0] == "used here"
    assert lines[2].split()[:6] == ["remote-acme", "acme-large", "1.5", "6", "?", "64,000"]


@listed
def test_a_listed_price_says_who_and_when(rtfs) -> None:
    data = rtfs("prices", "show", "openai/gpt-4o-mini", "--json").data
    found = next(each for each in data["listed"] if each["vendor"] == "openai")
    assert (found["input"], found["output"], found["cached"], found["context"]) == (0.15, 0.6, 0.075, 128_000)
    assert found["source"] == data["source"]
    assert data["source"].startswith("genai-prices ")
    assert len(found["dated"]) == len("2026-01-02")


@listed
def test_what_the_default_provider_costs_is_said(rtfs) -> None:
    (used,) = rtfs("prices", "show", "gpt-4o-mini", "--json").data["used"]
    assert (used["target"], used["input"]) == ("remote-openai", 0.15)
    assert used["source"].startswith("genai-prices ")


@listed
def test_a_list_can_be_searched(rtfs) -> None:
    result = rtfs("prices", "list", "anthropic/claude-sonnet-4-5")
    assert "dearer above 200,000 tokens" in result.out
    assert all(text in result.out for text in ("used here", "anthropic", "15"))


@listed
def test_an_unknown_model_has_a_way_out(rtfs) -> None:
    result = rtfs("prices", "show", "gpt-4o-minni")
    assert result.code == 2
    assert "error[E0910]: nobody says what 'gpt-4o-minni' costs" in result.err
    assert "did you mean 'gpt-4o-mini'?" in result.err
    result = rtfs("prices", "list", "zzzz")
    assert (result.code, "has 'zzzz' in its name" in result.err) == (2, True)


def test_without_a_list_the_way_out_is_to_install_one(rtfs, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_PLUGINS", "openai")
    for words in (("show", "gpt-4o-mini"), ("list", "gpt")):
        result = rtfs("prices", *words)
        assert result.code in {0, 2}
        assert "pip install rtfs-data-prices" in result.out + result.err


def test_settings_name_who_says_a_price(rtfs, configured) -> None:
    rows = {row["key"]: row for row in rtfs("config", "show", configured, "--json").data["settings"]}
    assert rows["delegation.remote_providers.acme.output_cost"]["source"].endswith("own.toml:7:1")
    assert rows["delegation.remote_providers.acme.input_cost"]["value"] == 1.5
    assert rows["delegation.remote_providers.acme.input_cost"]["source"].endswith("own.toml:9:1")
    assert rows['prices."acme-large".context']["source"].endswith("own.toml:10:1")


@listed
def test_settings_name_the_list(rtfs) -> None:
    rows = {row["key"]: row for row in rtfs("config", "show", "--json").data["settings"]}
    assert rows["delegation.remote_providers.openai.input_cost"]["value"] == 0.15
    assert rows["delegation.remote_providers.openai.input_cost"]["source"].startswith("genai-prices ")
    assert rows['prices."gpt-4o-mini".context']["value"] == 128_000


@listed
def test_data_is_shown_among_the_plugins(rtfs) -> None:
    assert "data\n  prices" in rtfs("plugins").out
    found = {each["name"]: each["distribution"] for each in rtfs("plugins", "--json").data["data"]}
    assert found["prices"] == "rtfs-data-prices"
