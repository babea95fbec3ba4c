"""A second pass over the same data asks no model for what was asked; how much faster it is, is printed (`-s`)."""

from __future__ import annotations

import time

import pytest

from rtfs_framework.testing.openai_server import Late, OpenAIServer, say_json

pytestmark = [
    pytest.mark.needs("rtfs-cache-l2", "rtfs-cache-l4", "rtfs-provider-openai", "rtfs-engine-static"),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]

PAUSE = 0.05
TABLE = """
[delegation.remote_providers.m]
provider = 'openai'
model = 'm'
api_key_env = ''
reuse = 'always'
"""
PROGRAM = """
(defn ^:delegation :remote "m" kind "What a message is about." [text :string] [:enum "bill" "other"] "other")
(defn ^:delegation :remote "m" mood "How the writer feels." [text :string kind :string] :string "calm")
(defn main [record] (let [text (get record "text") about (kind text)] {:kind about :mood (mood text about)}))
"""


def test_the_second_pass_asks_nobody_and_is_faster(folder):
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.session import Session

    records = [{"text": f"message number {i}"} for i in range(40)]
    with OpenAIServer(then=Late(PAUSE, say_json({"value": "bill"}))) as server:
        config = folder / "delegation.toml"
        table = (
            "[delegation.remote_providers.m]\nprovider = 'openai'\nmodel = 'm'\napi_key_env = ''\nreuse = 'always'\n"
        )
        config.write_text(f"{table}endpoint = '{server.url}'\n[delegation]\nconcurrency = 1\n", encoding="utf-8")
        seconds, asked = [], []
        for _ in range(2):
            environ = {"RTFS_HOME": str(folder / "home")}
            with Session.open(config_path=config, environ=environ, journal=False) as session:
                program = session.load(Source("pass.rtfs", PROGRAM))
                began = time.perf_counter()
                results = list(session.stream(program, "main", records))
                seconds.append(time.perf_counter() - began)
            assert all(each.ok for each in results)
            asked.append(len(server.requests))
    print(f"first {seconds[0]:.3f} s, second {seconds[1]:.4f} s: {seconds[0] / seconds[1]:.0f} times faster")
    assert asked == [80, 80], "the second pass asked a model"
