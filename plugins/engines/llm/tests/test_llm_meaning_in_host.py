"""The engine without a model, in a host with a real embedder: chosen once per function, and served from memory then."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session

pytestmark = pytest.mark.needs("rtfs-provider-echo", "rtfs-cache-l1", "rtfs-embedder-wordllama")

CONFIG = """
[delegation]
engine = "chooser"
embedder = "wordllama"
[engines.chooser]
plugin = "llm"
symbols = ["*"]
[delegation.local_models.tongues]
provider = "echo"
description = "Translates between many languages."
[delegation.local_models.moods]
provider = "echo"
description = "Classifies sentiment and emotions of short texts."
"""
PROGRAM = """
(defn in-french "Translate a letter into French." [x] :own)
(defn how-angry "Tell which feelings a review expresses." [x] :own)
[(in-french "a") (how-angry "b") (in-french "c")]
"""


def test_functions_go_where_they_fit_and_are_decided_once(tmp_path):
    file = tmp_path / "delegation.toml"
    file.write_text(CONFIG, encoding="utf-8")
    environ = {"RTFS_PLUGINS": "llm,echo,l1,wordllama", "RTFS_HOME": str(tmp_path / "home")}
    with Session.open(config_path=file, environ=environ) as session:
        result = session.run(Source("f.rtfs", PROGRAM))
        assert not session.problems
    assert [call.target for call in result.calls] == ["local-model tongues", "local-model moods", "local-model tongues"]
    assert [call.decision.cache for call in result.calls] == ["l1 miss", "l1 miss", "l1 hit"]
    assert "the description of local-tongues is nearest" in result.calls[0].decision.plan.reasoning
