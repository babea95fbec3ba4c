"""A program's run by HTTP: values come and go as text, and errors have a code."""

from __future__ import annotations

import hashlib

import pytest

from rtfs_framework.testing.served import served

httpx = pytest.importorskip("httpx")
pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def server():
    with served() as made:
        yield made


def run(server, source, args="[]", **more):
    digest = hashlib.sha256(source.encode()).hexdigest()
    program = {"name": "p.rtfs", "source": source, "sha256": digest}
    body = {"program": program, "args": args, **more}
    return httpx.post(f"{server.url}/v1/rtfs/run", headers=server.headers, json=body)


def test_a_program_is_run_with_its_arguments(server):
    answer = run(server, "(defn main [x y] {:sum (+ x (count y))})", '[3 ["a" :b]]')
    assert answer.status_code == 200
    assert answer.json()["value"] == "{:sum 5}"
    assert answer.json()["host"] == server.state.host_id


def test_nobody_without_a_token_runs_anything(server):
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": f"Basic {server.token}"}):
        answer = httpx.post(f"{server.url}/v1/rtfs/run", headers=headers, json={})
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "E0942"


def test_what_a_program_throws_is_told(server):
    answer = run(server, "(defn main [x] (+ x 1))", '["a"]')
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["kind"] == "TypeError"
    assert error["thrown"].startswith('{:kind "TypeError"')


def test_health_needs_no_token(server):
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{server.url}/readyz").status_code == 200
