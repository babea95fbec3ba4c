"""What a caller's rules, budget and marks do to a program that asks a model."""

from __future__ import annotations

import httpx
import pytest

from rtfs_framework.testing.served import served

pytestmark = pytest.mark.needs("rtfs-provider-echo", "rtfs-engine-static")
CONFIG = """
[delegation.local_models.small]
provider = "echo"

[delegation.static_routes]
say = "local-small"

[labels]
marks = ["health"]

[labels.accepts]
"local-small" = []
"""
PROGRAM = '(defn say [text : string] : string (str "own " text)) (defn main [text] (say text))'


@pytest.fixture(scope="module")
def server():
    with served(CONFIG, tenants=("acme", "other")) as made:
        yield made


def test_a_run_that_asks_a_model_is_recorded(server, ask):
    answer = ask(server, PROGRAM, '["hello"]').json()
    assert "own" not in answer["value"]
    assert answer["run"]
    assert answer["head"]
    told = httpx.get(f"{server.url}/v1/rtfs/runs/{answer['run']}", headers=server.headers).json()
    assert (told["status"], told["rows"]) == ("complete", 1)
    proved = httpx.get(f"{server.url}/v1/rtfs/runs/{answer['run']}/verify", headers=server.headers).json()
    assert proved["ok"] is True
    other = {"Authorization": f"Bearer {server.tokens['other']}"}
    for address in ("", "/verify"):
        refused = httpx.get(f"{server.url}/v1/rtfs/runs/{answer['run']}{address}", headers=other)
        assert refused.status_code == 404


def test_a_reach_that_is_narrower_brings_the_call_home(server, ask):
    answer = ask(server, PROGRAM, '["hello"]', context={"reach": "pure"})
    assert answer.json()["value"] == '"own hello"'
    assert "own" not in ask(server, PROGRAM, '["hello"]', context={"reach": "remote", "level": "full"}).json()["value"]


def test_a_function_that_the_caller_denies_is_not_called(server, ask):
    answer = ask(server, PROGRAM, '["hello"]', context={"deny": ["say"]})
    assert answer.status_code == 403
    assert answer.json()["error"]["kind"] == "SecurityViolation"


def test_a_budget_of_the_caller_is_a_bound(server, ask):
    twice = PROGRAM.replace("(say text)", '[(say text) (say (str text "!"))]')
    assert ask(server, twice, '["b"]', budget={"calls": 2}).status_code == 200
    over = ask(server, twice, '["c"]', budget={"calls": 1})
    spent = over.json().get("value", "")
    assert over.status_code == 429 or "own" in spent


def test_marks_that_a_target_does_not_accept_keep_a_call_at_home(server, ask):
    answer = ask(server, PROGRAM, '["hello"]', context={"labels": ["health"]}).json()
    assert answer["value"] == '"own hello"'
    assert answer["labels"] == ["health"]


def test_marks_that_nobody_knows_are_refused(server, ask):
    answer = ask(server, PROGRAM, '["hello"]', context={"labels": ["astral"]})
    assert answer.status_code == 403
