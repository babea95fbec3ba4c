"""`rtfs cache warm`: replies are there before they are needed, and no more is spent than was said."""

from __future__ import annotations

import pytest

from rtfs_framework.testing.openai_server import OpenAIServer, say_json

pytestmark = pytest.mark.needs("rtfs-cache-l2", "rtfs-provider-openai")

PROGRAM = """
(defn ^:delegation :remote "m" sort-out "The kind." [text :string] :string "own")
(defn main [record] {:kind (sort-out (get record "text"))})
"""


@pytest.fixture
def model(folder):
    """Serve a model, and configure it; its replies cost something."""
    with OpenAIServer(then=say_json({"value": "bill"})) as server:
        (folder / "delegation.toml").write_text(
            "[delegation.remote_providers.m]\nprovider = 'openai'\nmodel = 'm'\napi_key_env = ''\nreuse = 'always'\n"
            f"input_cost = 1.0\noutput_cost = 2.0\nmax_tokens = 100\nendpoint = '{server.url}'\n",
            encoding="utf-8",
        )
        (folder / "kinds.rtfs").write_text(PROGRAM, encoding="utf-8")
        (folder / "in.txt").write_text("one\ntwo\nthree\n", encoding="utf-8")
        yield server


def warm(rtfs, *more):
    return rtfs("cache", "warm", "kinds.rtfs", "--input", "in.txt", "--trust", *more)


def test_what_was_warmed_is_not_asked_again(rtfs, model):
    found = warm(rtfs, "--usd", "1", "--json").data
    assert (found["records"], found["failed"], found["calls"], found["from_memory"]) == (3, 0, 3, 0)
    assert 0 < found["cost"] <= 1
    assert len(model.requests) == 3
    assert rtfs("run", "kinds.rtfs", "--input", "in.txt", "--trust", "--json").code == 0
    assert len(model.requests) == 3
    again = warm(rtfs, "--usd", "1")
    assert again.out.splitlines()[0] == "3 records: 3 calls, 3 of them kept before"


def test_nothing_is_sent_beyond_what_may_be_spent(rtfs, model):
    found = warm(rtfs, "--usd", "0")
    assert len(model.requests) == 0
    assert "spent $0 of $0" in found.out
    assert warm(rtfs).code == 2, "how much must be said"
    assert len(model.requests) == 0
