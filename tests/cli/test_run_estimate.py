"""`rtfs run --estimate`: a range before anything is paid, and no request that leaves."""

from __future__ import annotations

import pytest

from rtfs_framework.testing.openai_server import OpenAIServer, Say

pytestmark = pytest.mark.needs("rtfs-provider-openai")

PROGRAM = """
(defn ^:delegation :remote "far" mood "The mood." [text :string] : [:enum "good" "bad"] "good")
(defn ^:delegation :remote "far" draft "An answer." [text :string] : :string "x")
(defn main [record]
  (let [text (if (string? record) record (get record "text"))]
    (if (= (mood text) "bad") (draft text) "fine")))
"""
CONFIG = """
[delegation.remote_providers.far]
provider = "openai"
endpoint = "{url}"
api_key_env = ""
model = "big"
{more}
"""
PRICES = "input_cost = 1000\noutput_cost = 2000\nmax_tokens = 100"


@pytest.fixture
def estimate(rtfs, folder):
    """Run a command line of `rtfs run` beside a server that must hear nothing."""
    (folder / "a.rtfs").write_text(PROGRAM, encoding="utf-8")
    (folder / "in.csv").write_text("text\nfirst\nsecond\n", encoding="utf-8")

    def run(*arguments, more=PRICES):
        with OpenAIServer(then=Say("no")) as server:
            (folder / "own.toml").write_text(CONFIG.format(url=server.url, more=more), encoding="utf-8")
            result = rtfs("run", "--estimate", "a.rtfs", *arguments, "--config", "own.toml")
            assert server.requests == []
        assert not (folder / "home" / "journal.sqlite").exists()
        return result

    return run


def test_words(estimate) -> None:
    result = estimate("hello")
    assert result.code == 0
    first, *_ = result.lines
    assert first.startswith("a.rtfs:6:12: mood -> remote far (big): 1 call, because of")
    assert "0 to 1 calls" in result.out
    assert "$1000 in, $2000 out per million tokens (the configuration)" in result.out
    total = next(line for line in result.lines if line.startswith("total"))
    assert total.endswith("for a run")
    assert "not known: answers are stand-ins" in result.out


def test_records_are_counted(estimate) -> None:
    data = estimate("--input", "in.csv", "--json").data
    mood, draft = data["sites"]
    assert (mood["symbol"], mood["calls"]) == ("mood", {"low": 2, "high": 2})
    assert draft["calls"] == {"low": 0, "high": 2}
    assert draft["output_tokens"]["high"] == 200, "max_tokens of the provider bounds a reply"
    assert data["inputs"] == 2
    assert data["cost"]["low"] == pytest.approx(mood["cost"]["low"])
    assert data["cost"]["high"] == pytest.approx(mood["cost"]["high"] + draft["cost"]["high"])
    assert estimate("--input", "in.csv", "--limit", 1, "--json").data["inputs"] == 1


def test_without_a_price_the_whole_is_at_least(estimate) -> None:
    result = estimate("hello", more="")
    assert "cost not known: no price" in result.out
    assert "at least $0 (2 sites have no price, so nobody knows how much at most)" in result.out
    assert estimate("hello", "--json", more="").data["cost"] is None


def test_a_program_that_asks_nobody_says_so(rtfs) -> None:
    assert rtfs("run", "--estimate", "hello.rtfs", "x").out == "a run asks no model\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("hello", "--output", "x.jsonl"), 2, "--estimate and --output exclude each other"),
        ((), 2, "error[E0908]"),
        (("--input", "none.csv"), 2, "none.csv"),
        (("hello", "--column", "x"), 2, "--column needs --input"),
    ],
)
def test_what_cannot_be_estimated(estimate, arguments, code, words) -> None:
    result = estimate(*arguments)
    assert (result.code, words in result.err) == (code, True), result.err


def test_a_bad_record_ends_it(estimate, folder) -> None:
    (folder / "bad.jsonl").write_text('{"text": "a"}\n{\n', encoding="utf-8")
    result = estimate("--input", "bad.jsonl")
    assert (result.code, "bad.jsonl:2" in result.err) == (1, True)
    assert estimate("--input", "bad.jsonl", "--skip-bad", "--json").data["inputs"] == 1
