"""An answer that is to fit a JSON Schema fits it, or says why not: the model is told once."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from rtfs_framework.testing.openai_server import OpenAIServer, Say, say_json

pytest.importorskip("openai")
pytest.importorskip("jsonschema_rs")
pytestmark = pytest.mark.needs("rtfs-provider-openai")
POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "name": {"type": "string", "pattern": "^(a+)+$"}},
    "required": ["x"],
    "additionalProperties": False,
}


def post(served, schema, model="host/chat"):
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "where?"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "point", "schema": schema}},
    }
    return httpx.post(f"{served.url}/v1/chat/completions", headers=served.headers, json=body, timeout=40)


def content(answer):
    return json.loads(answer.json()["choices"][0]["message"]["content"])


@pytest.mark.parametrize(
    "wrong", [{"x": "no"}, {}, {"x": 1, "y": 2}, {"x": 1, "name": "a" * 40 + "!"}], ids=["type", "none", "more", "re"]
)
def test_what_does_not_fit_is_told_to_the_model_once(door, wrong):
    with OpenAIServer([say_json(wrong)], then=say_json({"x": 1})) as one:
        answer = post(door(one=one), POINT)
        assert content(answer) == {"x": 1}
        first, second = one.requests
        assert "does not fit the JSON Schema" in second.prompt
        assert "does not fit" not in first.prompt


def test_what_never_fits_is_an_error_that_says_why(door):
    with OpenAIServer(then=say_json({"x": "no"})) as one:
        answer = post(door(one=one), POINT)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "E0951")
        assert '"no" is not of type "integer" (at /x)' in answer.json()["error"]["message"]
        assert len(one.requests) == 2


def test_a_program_s_own_answer_is_checked_too(door, tmp_path):
    Path(tmp_path, "points.rtfs").write_text('(defn answer [asked :string] {:x (if (= asked "where?") "no" 1)})')
    config = f'[serve.models.points]\nprogram = "{tmp_path}/points.rtfs"\nfunction = "answer"\n'
    served = door(config)
    answer = post(served, POINT, "points")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "E0951")
    assert "at /x" in answer.json()["error"]["message"]
    assert content(post(served, {"type": "object"}, "points")) == {"x": "no"}


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"type": "nonsense"}, "nonsense"),
        ({"$ref": "http://127.0.0.1:1/other"}, "no other document"),
        ({"$ref": "#/$defs/none"}, "does not exist"),
        ({"pattern": "(?=a)"}, "regex"),
    ],
)
def test_what_is_no_schema_is_refused_before_anything_is_asked(door, schema, word):
    with OpenAIServer(then=Say("{}")) as one:
        refused = post(door(one=one), schema)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "E0970")
        assert refused.json()["error"]["param"] == "response_format.json_schema"
        assert word in refused.json()["error"]["message"]
        assert one.requests == []


def test_a_schema_that_names_itself_is_one(door):
    tree = {"$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}, "$ref": "#/$defs/t"}
    with OpenAIServer([say_json([[], [1]])], then=say_json([[], [[]]])) as one:
        assert content(post(door(one=one), tree)) == [[], [[]]]
        assert len(one.requests) == 2
