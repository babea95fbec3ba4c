"""`rtfs budget` and `--tenant`, with real servers, processes that are killed, and a real ledger."""

from __future__ import annotations

import time

import pytest

from rtfs_framework.testing.openai_server import Hang, OpenAIServer, Say

pytestmark = pytest.mark.needs("rtfs-provider-openai")

PROGRAM = """
(defn ^:delegation :remote "big" answer "Answer." [text :string] : :string "own body")
(defn main [x] (try (answer x) (catch BudgetExhausted e "no money")))
"""
BUDGET = "[budgets.daily]\nusd = 0.01\ncalls = 5\n[ledger]\nmax_tokens = 1000\n"


@pytest.fixture
def project(folder):
    """Return a function that writes the program and a configuration for a server."""
    (folder / "ask.rtfs").write_text(PROGRAM, encoding="utf-8")

    def write(server, more=BUDGET):
        url = "http://127.0.0.1:1/v1" if server is None else server.url
        text = (
            f'[delegation.remote_providers.big]\nprovider = "openai"\nendpoint = "{url}"\nmodel = "m"\n'
            f"input_cost = 1\noutput_cost = 2\n{more}"
        )
        (folder / "own.toml").write_text(text, encoding="utf-8")
        return "--config", "own.toml"

    return write


def test_what_is_left_is_shown_and_what_is_empty_refuses(rtfs, project):
    with OpenAIServer(then=Say('{"value": "yes"}', usage=(100, 50))) as server:
        own = project(server)
        assert rtfs("run", "ask.rtfs", "a", *own).out == '"yes"\n'
        assert server.requests[0].body["max_tokens"] == 1000
        assert "daily   " in rtfs("budget", "list", *own).out
        rows = {row["counts"]: row for row in rtfs("budget", "show", "daily", "--json", *own).data["budgets"]}
        assert (rows["usd"]["counted"], rows["usd"]["left"], rows["usd"]["limit"]) == (
            "0.000200000", "0.009800000", "0.010000000",
        )  # fmt: skip
        assert (rows["calls"]["counted"], rows["calls"]["left"], rows["calls"]["per"]) == (1, 4, "day")
        for text in "bcde":
            rtfs("run", "ask.rtfs", text, *own)
        assert rtfs("run", "ask.rtfs", "f", *own).out == '"no money"\n'
        assert len(server.requests) == 5


def wait_for(server):
    for _ in range(3000):
        if server.requests:
            return
        time.sleep(0.01)
    pytest.fail("nothing was sent")


def test_a_killed_process_leaves_what_it_reserved_until_a_person_says_less(rtfs, process, project):
    with OpenAIServer(then=Hang()) as server:
        own = project(server)
        child = process("run", "ask.rtfs", "a", *own)
        wait_for(server)
        child.kill()
        child.wait()
    (left,) = rtfs("budget", "list", "--json", *own).data["reservations"]
    assert (left["state"], left["function"], left["target"], left["budgets"]) == (
        "sent", "answer", "remote-big", ["daily"],
    )  # fmt: skip
    assert float(left["at_most"]["usd"]) > 0.002
    number = left["id"]
    assert f"{number}   daily" in rtfs("budget", "show", number, *own).out
    too_much = rtfs("budget", "settle", number, "--usd", "1", *own)
    assert (too_much.code, "cannot have taken more" in too_much.err) == (2, True)
    said = rtfs("budget", "settle", number, "--usd", "0.001", "--tokens", "70", "--json", *own)
    assert said.data == {"settled": [{"id": number, "usd": "0.001000000", "tokens": 70, "calls": 1}]}
    (usd, _) = rtfs("budget", "show", "daily", "--json", *own).data["budgets"]
    assert (usd["counted"], usd["reserved"]) == ("0.001000000", "0.000000000")
    assert rtfs("budget", "release", number, *own).out.startswith(f"reservation {number} counts as $0.00")
    data = rtfs("budget", "list", "--json", *own).data
    assert ([row["counted"] for row in data["budgets"]], data["reservations"]) == (["0.000000000", 0], [])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("show", "dialy"), "did you mean 'daily'?"),
        (("show", "99"), "no reservation 99"),
        (("settle", "99", "--usd", "1"), "E0916"),
        (("release", "99"), "E0916"),
        (("settle", "1"), "say what they took"),
        (("settle", "1", "--usd", "much"), "no amount of US dollars"),
        (("settle", "1", "--usd", "-1"), "no amount of US dollars"),
        (("settle", "1", "--usd", "nan"), "no amount of US dollars"),
        (("settle", "1", "--tokens", "-1"), "--tokens"),
        (("settle", "x", "--tokens", "1"), "not a valid integer"),
        (("release",), "ID"),
    ],
)
def test_mistakes_have_a_way_out(rtfs, project, args, said):
    result = rtfs("budget", *args, *project(None))
    assert result.code == 2
    assert said in result.err


@pytest.mark.parametrize("number", ["9" * 19, "9" * 5000])
def test_a_number_that_no_reservation_can_have_is_refused(rtfs, project, number):
    for command in (("show", number), ("release", number), ("settle", number, "--tokens", "1")):
        result = rtfs("budget", *command, *project(None))
        assert result.code == 2
        assert "E0999" not in result.err


def test_looking_makes_no_file(rtfs, project, folder):
    assert "daily" in rtfs("budget", "list", *project(None)).out
    assert rtfs("budget", "list").out == "no budget has been used, and nothing is reserved\n"
    assert not (folder / "home" / "ledger.sqlite").exists()


def test_a_broken_ledger_is_told(rtfs, project, folder):
    (folder / "home").mkdir(exist_ok=True)
    (folder / "home" / "ledger.sqlite").write_text("no database" * 1000)
    result = rtfs("budget", "list", *project(None))
    assert (result.code, "E0613" in result.err) == (1, True)


@pytest.mark.needs("rtfs-cache-redis")
def test_a_ledger_that_cannot_be_reached_is_told_with_its_own_way_out(rtfs, project):
    lost = '[ledger]\nstore = "redis"\n[ledgers.redis]\nurl = "redis://127.0.0.1:1/0"\n'
    result = rtfs("budget", "list", *project(None, lost))
    assert (result.code, "E0613" in result.err, "[ledgers.redis] is right" in result.err) == (1, True, True)


def test_tenants_have_budgets_of_their_own(rtfs, project):
    tenants = "[budgets.each]\nfor_each = ['tenant']\ncalls = 1\n[tenants.a.budgets.of-a]\ncalls = 9\n[tenants.b]\n"
    with OpenAIServer(then=Say('{"value": "yes"}')) as server:
        own = project(server, tenants)
        for tenant in "ab":
            assert rtfs("run", "ask.rtfs", "x", "--tenant", tenant, *own).out == '"yes"\n'
        assert rtfs("run", "ask.rtfs", "y", "--tenant", "a", *own).out == '"no money"\n'
        shown = rtfs("budget", "list", "--tenant", "a", "--json", *own).data["budgets"]
        assert {(row["budget"], row["for"].get("tenant", ""), row["left"]) for row in shown} == {
            ("each", "a", 0), ("each", "b", 0), ("of-a", "", 8),
        }  # fmt: skip
        wrong = rtfs("eval", "(+ 1 2)", "--tenant", "c", *own)
        assert (wrong.code, "E0719" in wrong.err, "configured: a, b" in wrong.err) == (1, True, True)


@pytest.mark.parametrize("args", [(), ("list",), ("show",), ("settle",), ("release",)])
def test_help_has_examples(rtfs, args):
    assert "rtfs budget" in rtfs("budget", *args, "--help").out


def test_config_show_has_budgets_rates_and_tenants_as_they_are_written(rtfs, project):
    routes = "[tenants.a.static_routes]\nanswer = 'local-pure'\n"
    project(None, BUDGET + f"[rates.r]\ncalls = 3\n[tenants.a.budgets.of-a]\ncalls = 9\n{routes}")
    found = rtfs("config", "show", "own.toml", "--tenant", "a", "--json").data
    shown = {row["key"]: row["value"] for row in found["settings"]}
    assert shown['delegation.static_routes."answer"'] == "local-pure", "as the tenant has it"
    assert (shown["budgets.daily.usd"], shown["rates.r.calls"], shown["tenants.a.budgets.of-a.calls"]) == (0.01, 3, 9)
    assert (shown["ledger.max_tokens"], shown["ledger.unknown_price"]) == (1000, "refuse")
