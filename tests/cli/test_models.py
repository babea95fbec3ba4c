"""`rtfs models list|ping|bench`: what is there, whether it answers, how quick it is; through real servers."""

from __future__ import annotations

import pytest

from rtfs_framework.testing.openai_server import Fail, OpenAIServer, Say

BROKEN = '[delegation.local_models.x]\nprovider = "no-such"\n'


@pytest.mark.parametrize("args", [[], ["list"], ["ping"], ["bench"], ["pull"]])
def test_help_has_examples(rtfs, args):
    assert "rtfs models" in rtfs("models", *args, "--help").out.partition("Usage")[2].partition("\n")[2]


def test_a_broken_configuration_is_told_with_its_place(rtfs, folder):
    (folder / "own.toml").write_text(BROKEN, encoding="utf-8")
    for name in ("list", "ping"):
        found = rtfs("models", name, "--config", "own.toml")
        assert found.code == 1
        assert "own.toml:2:12" in found.err


@pytest.fixture
def remote(folder):
    """Return a function that writes a configuration of a model at a server."""

    def write(server, more=""):
        text = f'[delegation.remote_providers.big]\nprovider = "openai"\nendpoint = "{server.url}"\nmodel = "m"\n{more}'
        (folder / "own.toml").write_text(text, encoding="utf-8")
        return "--config", "own.toml"

    return write


def of(data, target):
    return next(each for each in data["models"] if each["target"] == target)


@pytest.mark.needs("rtfs-provider-openai", "rtfs-provider-rules")
def test_a_list_says_what_can_be_used_and_why_not(rtfs, remote, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with OpenAIServer() as server:
        options = remote(server, "input_cost = 1.5\noutput_cost = 6\n")
        data = rtfs("models", "list", "--json", *options).data
        big, usual, own = of(data, "remote-big"), of(data, "remote-openai"), of(data, "local-sentiment")
        assert (big["usable"], big["why"], big["model"], big["health"]) == (True, None, "m", "closed")
        assert (big["input_cost"], big["output_cost"], big["locality"]) == (1.5, 6.0, "remote")
        assert not usual["usable"]
        assert "OPENAI_API_KEY is not set" in usual["why"]
        assert (own["provider"], own["locality"]) == ("rules", "local")
        assert own["distribution"].startswith("rtfs-provider-rules ")
        text = rtfs("models", "list", *options).out
        assert "remote-big" in text
        assert "$1.5 / $6" in text
        assert server.requests == []


@pytest.mark.needs("rtfs-provider-openai")
def test_a_health_that_is_open_is_shown(rtfs, remote, folder):
    program = '(defn ^:delegation :remote "big" f "Do." [] : :string "own")\n(defn main [x] (try (f) (catch Any e 1)))'
    (folder / "ask.rtfs").write_text(program, encoding="utf-8")
    with OpenAIServer(then=Fail(503)) as server:
        options = remote(server)
        for number in range(8):
            rtfs("run", "ask.rtfs", str(number), *options)
        assert of(rtfs("models", "list", "--json", *options).data, "remote-big")["health"] == "open"


@pytest.mark.needs("rtfs-provider-rules")
def test_without_a_ping_it_is_said_and_nothing_is_asked(rtfs):
    found = rtfs("models", "ping", "local-sentiment")
    assert found.code == 0
    assert "no ping" in found.out
    assert "rtfs models bench local-sentiment" in found.out


@pytest.mark.parametrize("command", ["ping", "bench"])
def test_a_name_that_nothing_bears(rtfs, command):
    found = rtfs("models", command, "local-nothing")
    assert found.code == 2
    assert "'local-nothing' is no configured model" in found.err


@pytest.mark.needs("rtfs-provider-openai")
def test_an_unusable_model_that_is_named_is_no_success(rtfs, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert rtfs("models", "ping", "remote-openai").code == 1
    assert rtfs("models", "ping").code == 0


@pytest.mark.needs("rtfs-provider-openai")
def test_a_measurement_asks_before_it_costs_money(rtfs, remote):
    with OpenAIServer(then=Say("ready")) as server:
        for more, said in (("input_cost = 1\noutput_cost = 1\n", "at most $0.0"), ("", "no price is known")):
            found = rtfs("models", "bench", "big", *remote(server, more))
            assert found.code == 2
            assert said in found.err
            assert "--yes" in found.err
        assert server.requests == []


@pytest.mark.needs("rtfs-provider-openai")
def test_a_measurement_is_bounded_billed_and_in_the_journal(rtfs, remote):
    with OpenAIServer(then=Say("ready", usage=(100, 10))) as server:
        options = remote(server, "input_cost = 1\noutput_cost = 10\n")
        (found,) = rtfs("models", "bench", "remote-big", "--yes", "--json", *options).data["models"]
        assert len(server.requests) == found["requests"] == 8
        assert found["failed"] is None
        assert min(found["warm"], found["first"]) > 0
        assert found["input_rate"] > found["output_rate"] > 0
        assert found["cost"] == pytest.approx(8 * (100 + 100) / 1e6)
        bounds = {each.body.get("max_tokens") or each.body.get("max_completion_tokens") for each in server.requests}
        assert bounds == {1, 8, 64}
        spent = rtfs("cost", "--since", "all", "--json", *options).data
        assert spent["total"]["calls"] == 8
        assert "rtfs models bench" in rtfs("runs", "list").out
        assert "tokens/s out" in rtfs("models", "bench", "big", "--yes", *options).out


@pytest.mark.needs("rtfs-provider-openai")
def test_a_budget_stops_a_measurement_like_anything_else(rtfs, remote):
    with OpenAIServer(then=Say("ready")) as server:
        more = "input_cost = 1\noutput_cost = 1\n[budgets.few]\ncalls = 3\n"
        found = rtfs("models", "bench", "big", "--yes", "--json", *remote(server, more))
        assert found.code == 1
        (one,) = found.data["models"]
        assert (one["requests"], one["ended"], len(server.requests)) == (3, "a request failed", 3)
        assert "few" in one["failed"]
        assert one["warm"] is not None
        assert one["output_rate"] is None


@pytest.mark.needs("rtfs-provider-openai")
def test_a_server_that_fails_ends_a_measurement_with_its_words(rtfs, remote):
    with OpenAIServer(then=Fail(401, "no such key")) as server:
        found = rtfs("models", "bench", "big", "--yes", *remote(server))
        assert found.code == 1
        assert "remote-big: " in found.err
        assert len(server.requests) == 1


@pytest.mark.needs("rtfs-provider-openai")
def test_a_ping_finds_out_at_no_cost(rtfs, remote):
    with OpenAIServer(then=Fail(503)) as server:
        options = remote(server)
        found = rtfs("models", "ping", "big", "--json", *options)
        (one,) = found.data["models"]
        assert (found.code, one["target"], one["outcome"]) == (0, "remote-big", "answers")
        assert one["seconds"] > 0
        assert server.requests == [] or {each.method for each in server.requests} == {"GET"}
    found = rtfs("models", "ping", "remote-big", *options)
    assert found.code == 1
    assert "failed" in found.out
