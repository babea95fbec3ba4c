"""The main job, as a user runs it: messages answered on this device, or drafted afar when there is an endpoint."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rtfs_framework.testing.openai_server import Fail, OpenAIServer, say_json

HERE = Path(__file__).parents[2] / "examples" / "triage"
SENTIMENTS = {"positive", "negative", "neutral"}
TOPICS = {"billing", "delivery", "returns", "quality", "technical", "account", "praise", "other"}
KEY = "sk-do-not-show-me"

pytestmark = pytest.mark.needs("rtfs-provider-rules", "rtfs-provider-openai", "rtfs-engine-static")


@pytest.fixture
def triage(tmp_path):
    """Return a function that runs the program over a file and returns its records, its summary and all it printed."""

    def run(*options, file=HERE / "messages.jsonl", code=0, **environ):
        home = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
        rtfs = shutil.which("rtfs", path=str(Path(sys.executable).parent)) or "rtfs"
        done = subprocess.run(
            [rtfs, "run", str(HERE / "triage.rtfs"), "--input", str(file), "--json", *options],
            env={**os.environ, **home, **environ},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        *records, last = map(json.loads, done.stdout.splitlines())
        return records, last["summary"], done.stdout + done.stderr

    return run


def targets(records, symbol):
    return {call["target"] for record in records for call in record["calls"] if call["symbol"] == symbol}


def test_every_message_is_sorted_and_answered_on_this_device(triage):
    records, summary, printed = triage()
    assert "E0715" not in printed  # its configuration is found, and asks for nothing that needs trust
    assert len(records) == summary["records"] == len((HERE / "messages.jsonl").read_text("utf-8").splitlines())
    assert summary["record_errors"] == summary["cost"] == 0
    for record in records:
        value = record["value"]
        assert value["sentiment"] in SENTIMENTS
        assert value["topic"] in TOPICS
        assert value["draft"]
        assert "\n" not in value["draft"]
        assert set(value["features"]) == {"length", "words", "shouting", "question?", "order"}
    assert targets(records, "draft-answer") == {"local-model draft"}
    assert {record["value"]["topic"] for record in records} == TOPICS
    assert {record["value"]["sentiment"] for record in records} == SENTIMENTS


def test_a_second_run_is_served_from_memory_and_says_the_same(triage):
    first, _, _ = triage()
    second, summary, _ = triage()
    assert [record["value"] for record in second] == [record["value"] for record in first]
    assert summary["model_calls_from_cache"] == summary["model_calls"] > 0


def test_with_an_endpoint_the_drafts_and_nothing_else_leave_this_device(triage):
    with OpenAIServer(then=lambda asked: say_json({"value": f"{len(asked.prompt)}!"}), key=KEY) as server:
        records, summary, printed = triage(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=server.url)
    assert summary["record_errors"] == 0
    assert targets(records, "draft-answer") == {"remote openai"}
    assert targets(records, "sentiment") == {"local-model sentiment"}
    assert targets(records, "topic") == {"local-model topics"}
    assert all(record["value"]["draft"].endswith("!") for record in records)
    assert {received.body["model"] for received in server.requests} == {"gpt-4o-mini"}
    assert all("Function: draft-answer" in received.prompt for received in server.requests)
    assert KEY not in printed


def test_a_failing_endpoint_spoils_no_record_the_next_of_the_route_answers_and_it_is_told(triage):
    with OpenAIServer(then=Fail(400, "no such model")) as server:
        records, summary, _ = triage("--limit", "3", OPENAI_BASE_URL=server.url)
        assert len(server.requests) == 3
    assert (len(records), summary["record_errors"], summary["exhausted"]) == (3, 0, 0)
    assert summary["failed_attempts"] == {"remote openai": 3}
    assert summary["by_target"]["local-model draft"] == 3


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("lines.txt", "I love it\nwhere is my parcel\n", 2),
        ("table.csv", 'id,text\n1,"I love it, really"\n2,\n', 2),
        ("odd.jsonl", '{"text": null}\n{"text": 5}\n{"other": 1, "text": "x"}\n', 3),
    ],
)
def test_other_files_of_the_users_own(triage, tmp_path, name, content, count):
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    records, summary, _ = triage(file=file)
    assert (len(records), summary["record_errors"]) == (count, 0)
    assert all(record["value"]["sentiment"] in SENTIMENTS for record in records)
