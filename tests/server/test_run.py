"""A program's run by HTTP: values come and go as text, and errors have a code."""

from __future__ import annotations

import json

import httpx
import pytest

from rtfs_framework.testing.served import served

ENDLESS = "(defn main [] (loop [i 0] (recur (inc i))))"


@pytest.fixture(scope="module")
def server():
    with served("[limits]\nsteps = 'off'\nseconds = 20\n[serve]\nbody = 100_000", tenants=("acme", "other")) as made:
        yield made


def error_of(answer):
    return answer.json()["error"]


def test_a_program_is_run_with_its_arguments(server, ask):
    answer = ask(server, "(defn main [x y] {:sum (+ x (count y))})", '[3 ["a" :b]]')
    assert answer.status_code == 200
    assert answer.json() == {
        "value": "{:sum 5}",
        "run": "",
        "head": "",
        "host": server.state.host_id,
        "usage": {"input_tokens": 0, "output_tokens": 0, "cost": 0.0},
        "labels": [],
        "via": [server.state.host_id],
    }


def test_another_function_is_an_entry_and_none_is_the_last_form(server, ask):
    program = "(defn double [x] (* 2 x))\n(double 4)"
    assert ask(server, program).json()["value"] == "8"
    assert ask(server, program, "[21]", entry="double").json()["value"] == "42"
    assert error_of(ask(server, program, "[1]", entry="triple"))["kind"] == "UndefinedSymbol"


@pytest.mark.parametrize("text", ["#inst-like", "[1 2", "(+ 1 2) 3", "{:a 1}", "[#(inc %)]", "[@x]"])
def test_arguments_are_data_and_nothing_else(server, ask, text):
    answer = ask(server, "(defn main [x] x)", text)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "E0941"


def test_values_of_every_kind_come_back_as_they_went(server, ask):
    text = '[nil true 1.5 "\\n\\"é" :k {:a #{1 2}} (a b) ##Inf]'
    assert ask(server, "(defn main [& x] x)", text).status_code == 200
    answer = ask(server, "(defn main [x] x)", f"[{text}]")
    again = ask(server, "(defn main [x] x)", f"[{answer.json()['value']}]")
    assert again.json()["value"] == answer.json()["value"]


def test_what_cannot_travel_is_refused(server, ask):
    for answer in (ask(server, "(defn main [] [inc])", entry="main"), ask(server, "inc")):
        assert answer.status_code == 422
        assert error_of(answer)["kind"] == "TypeValidationError"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", "JSON"),
        (b"[]", "object"),
        (b'{"program": {"source": "1"}, "extra": 1}', "extra"),
        (b'{"program": {"source": 1}}', "source"),
        (b'{"program": {"source": "1", "sha256": "00"}}', "sha256"),
        (b'{"program": {"source": "1"}, "deadline": -1}', "deadline"),
        (b'{"program": {"source": "1"}, "deadline": NaN}', "NaN"),
        (b'{"program": {"source": "1"}, "hops": 1.5}', "hops"),
        (b'{"program": {"source": "1"}, "via": "x"}', "via"),
        (b'{"program": {"source": "1"}, "context": {"level": "root"}}', "level"),
        (b'{"program": {"source": "1"}, "context": {"tenant": "other"}}', "tenant"),
        (b'{"program": {"source": "1"}, "budget": {"money": "much"}}', "money"),
        (b"[" * 60_000, "nested"),
        (b'{"program": {"source": "\\ud800"}}', "surrogate"),
        (b'{"program": {"source": "1"}, "key": "\\uD800"}', "surrogate"),
        (b'{"program": {"source": "1"}, "via": ["\\ud800"]}', "surrogate"),
        (b'{"program": {"source": "1"}, "deadline": 1e999}', "deadline"),
        (b'{"program": {"source": "1"}, "context": {"grant": [' + b'"a*",' * 1_000 + b'"b"]}}', "1,000"),
    ],
)
def test_a_malformed_request_says_what_is_wrong(server, body, word):
    answer = httpx.post(f"{server.url}/v1/rtfs/run", headers=server.headers, content=body)
    assert answer.status_code == 400
    assert word in error_of(answer)["message"]


def test_another_version_of_the_protocol_is_refused(server, ask):
    answer = ask(server, "1", headers={**server.headers, "RTFS-Protocol": "2"})
    assert answer.status_code == 400


def test_nobody_without_a_token_runs_anything(server):
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": f"Basic {server.token}"}):
        answer = httpx.post(f"{server.url}/v1/rtfs/run", headers=headers, json={})
        assert answer.status_code == 401
        assert error_of(answer)["code"] == "E0942"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_what_a_program_throws_is_told(server, ask):
    answer = ask(server, "(defn main [x] (+ x 1))", '["a"]')
    assert answer.status_code == 422
    assert error_of(answer)["kind"] == "TypeError"
    assert error_of(answer)["thrown"].startswith('{:kind "TypeError"')


def test_a_program_with_mistakes_is_refused_with_their_places(server, ask):
    answer = ask(server, "(defn main [x]\n  (plus x 1))", "[1]")
    assert answer.status_code == 422
    assert "p.rtfs:2:4" in error_of(answer)["message"]
    assert error_of(answer)["code"] == "E0203"


def test_a_deadline_ends_a_run(server, ask):
    answer = ask(server, ENDLESS, entry="main", deadline=0.2)
    assert answer.status_code == 408
    assert error_of(answer)["code"] == "E0944"
    assert ask(server, "1", deadline=0).status_code == 408
    assert ask(server, "(+ 1 2)").json()["value"] == "3"


def test_what_has_been_here_is_a_loop(server, ask):
    answer = ask(server, "1", via=["north", server.state.host_id, "south"])
    assert answer.status_code == 508
    assert error_of(answer)["via"] == ["north", server.state.host_id, "south"]
    assert ask(server, "1", via=["north"]).json()["via"] == ["north", server.state.host_id]


def test_an_address_that_is_not_there_is_a_problem_like_others(server):
    answer = httpx.get(f"{server.url}/nowhere")
    assert (answer.status_code, error_of(answer)["code"]) == (404, "E0950")
    assert httpx.get(f"{server.url}/v1/rtfs/run").status_code == 405


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server):
    url, headers = f"{server.url}/v1/rtfs/run", server.headers
    with httpx.Client() as client:
        answer = client.post(url, headers=headers, content=b"x" * 100_001)
        assert (answer.status_code, error_of(answer)["code"]) == (413, "E0946")


def test_health_pages_need_no_token_and_others_do(server):
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{server.url}/readyz").status_code == 200
    assert httpx.get(f"{server.url}/metrics").status_code == 401
    assert httpx.get(f"{server.url}/v1/rtfs/offer").status_code == 401


def test_the_description_and_the_page_are_whole(server):
    told = httpx.get(f"{server.url}/openapi.json").json()
    assert set(told["paths"]["/v1/rtfs/run"]["post"]["responses"]) >= {"200", "401", "409", "503"}
    assert told["components"]["schemas"]["RunRequest"]["required"] == ["program"]
    page = httpx.get(f"{server.url}/docs")
    assert "/v1/rtfs/run" in page.text
    assert "<script" not in page.text
    assert "//" not in page.text.replace("<!doctype", "")


def test_counts_say_what_happened(server, ask):
    ask(server, "1")
    text = httpx.get(f"{server.url}/metrics", headers=server.headers).text
    assert 'rtfs_requests_total{kind="run",status="200"}' in text
    assert "rtfs_requests_running 0" in text


def test_an_offer_names_what_may_be_used(server):
    told = httpx.get(f"{server.url}/v1/rtfs/offer", headers=server.headers).json()
    assert told["protocol"] == 1
    assert told["host"]["id"] == server.state.host_id
    assert told["load"] == {"running": 0, "most": 64}
    assert told["limits"]["body"] == 100_000


def test_a_tenant_is_its_token_s_whatever_the_request_says(server, ask):
    headers = {**server.headers, "X-Tenant": "other", "RTFS-Tenant": "other"}
    url = f"{server.url}/v1/rtfs/run?tenant=other"
    body = json.dumps({"program": {"source": "@tenant-of-nobody"}, "caller": {"tenant": "other"}})
    assert httpx.post(url, headers=headers, content=body).status_code == 422
    assert server.state.caller(f"Bearer {server.token}").tenant == "acme"
