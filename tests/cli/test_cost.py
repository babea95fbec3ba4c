"""`rtfs cost`: what the journal of real runs says of spending, in words and as JSON."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.testing.openai_server import OpenAIServer, Say

pytestmark = pytest.mark.needs("rtfs-provider-openai", "rtfs-cache-l2")

PROGRAM = """
(defn ^:delegation :remote "priced" ask "Say." [text :string] : :string "x")
(defn ^:delegation :remote "far" tell "Tell." [text :string] : :string "x")
(defn main [x] [(ask x) (tell x)])
"""
CONFIG = """
[delegation.remote_providers.priced]
provider = "openai"
endpoint = "{url}"
api_key_env = ""
model = "big"
input_cost = 1000
output_cost = 2000
reuse = "always"
[delegation.remote_providers.far]
provider = "openai"
endpoint = "{url}"
api_key_env = ""
model = "small"
"""


@pytest.fixture
def spent(rtfs, folder):
    """Two equal runs, of which the second was served from memory as far as that is sound."""
    (folder / "ask.rtfs").write_text(PROGRAM, encoding="utf-8")
    with OpenAIServer(then=Say('{"value": "fine"}', usage=(1000, 500))) as server:
        (folder / "own.toml").write_text(CONFIG.format(url=server.url), encoding="utf-8")
        for _ in range(2):
            assert rtfs("run", "ask.rtfs", "hello", "--config", "own.toml").code == 0
    return rtfs


def test_nothing_was_spent_yet(rtfs) -> None:
    result = rtfs("cost")
    assert (result.code, result.out.startswith("no requests to models since 7d in ")) == (0, True)
    data = rtfs("cost", "--since", "all", "--json").data
    assert (data["rows"], data["total"]["calls"], data["since"]) == ([], 0, None)


def test_words(spent) -> None:
    result = spent("cost", "--by", "target,function")
    head, priced, far, whole, note = result.lines
    assert " ".join(head.split()) == "target function calls failed from memory tokens in tokens out cost saved"
    assert priced.split()[:6] == ["remote", "priced", "ask", "2", "0", "1"]
    assert priced.split()[-2:] == ["$2.00", "$2.00"]
    assert far.split()[:3] == ["remote", "far", "tell"]
    assert far.split()[-2:] == ["?", "$0"]
    assert whole.startswith("total")
    assert "at least $2.00" in whole
    assert note == "at least: 2 requests have no price or no count of tokens (see `rtfs prices`)"


def test_the_list_of_runs_with_what_each_took(spent) -> None:
    latest, first, whole = spent("runs", "list", "--totals").lines
    assert [line.split()[3:] for line in (latest, first)] == [
        ["complete", "2", "calls", "?", "ask.rtfs"],
        ["complete", "2", "calls", "$2.00", "+", "?", "ask.rtfs"],
    ]
    assert whole == ("2 runs: 4 calls, 4 requests to models (1 from memory), 3,000 tokens in, 1,500 out, $2.00 + ?")
    data = spent("runs", "list", "--totals", "--limit", 1, "--json").data
    (run,) = data["runs"]
    assert (run["spent"]["from_memory"], run["spent"]["cost"], data["total"]["calls"]) == (1, 0.0, 2)


def test_json(spent) -> None:
    data = spent("cost", "--by", "function", "--json").data
    ask, tell = data["rows"]
    assert (ask["function"], ask["calls"], ask["from_memory"], ask["unknown"]) == ("ask", 2, 1, 0)
    assert ask["cost"] == ask["known_cost"] == ask["saved"] == 2.0
    assert (tell["function"], tell["cost"], tell["known_cost"], tell["unknown"]) == ("tell", None, 0.0, 2)
    assert (data["total"]["cost"], data["total"]["known_cost"]) == (None, ask["cost"])
    assert data["by"] == ["function"]
    json.dumps(data, allow_nan=False)


@pytest.mark.parametrize("since", ["1h", "24 h", "2020-01-01", "all"])
def test_times(spent, since) -> None:
    assert spent("cost", "--since", since, "--json").data["total"]["calls"] == 4


def test_a_time_to_come_counts_nothing(spent) -> None:
    assert spent("cost", "--since", "2999-01-01", "--json").data["rows"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--by", "tenat"), "nothing can be grouped by 'tenat'"),
        (("--by", "tenat"), "did you mean 'tenant'?"),
        (("--by", "zzz"), "one or several of tenant, model, function, day, engine, target, run"),
        (("--by", " , "), "--by names nothing"),
        (("--since", "yesterday"), "'yesterday' is no time"),
        (("--since", "-7d"), "'-7d' is no time"),
        (("--since", "2026-13-01"), "such as 7d"),
    ],
)
def test_what_cannot_be_understood(rtfs, arguments, words) -> None:
    result = rtfs("cost", *arguments)
    assert result.code == 2
    assert "error[E0910]" in result.err
    assert words in result.err


def test_a_journal_that_is_none_is_an_error(rtfs, folder) -> None:
    (folder / "home").mkdir()
    (folder / "home" / "journal.sqlite").write_text("no journal")
    result = rtfs("cost")
    assert result.code == 1
    assert "journal.sqlite" in result.err
    assert "Traceback" not in result.err
