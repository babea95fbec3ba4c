"""`rtfs health`: what is left alone and why, and saying that it is well again, through real servers and processes."""

from __future__ import annotations

import pytest

from rtfs_framework.testing.openai_server import Fail, OpenAIServer

pytestmark = pytest.mark.needs("rtfs-provider-openai")

PROGRAM = """
(defn ^:delegation :remote "big" answer "Answer." [text :string] : :string "own body")
(defn main [x] (try (answer x) (catch HostError e "failed")))
"""


@pytest.fixture
def project(folder, rtfs):
    """Return a function that runs the program against a server, so many times."""
    (folder / "ask.rtfs").write_text(PROGRAM, encoding="utf-8")

    def run(server, times=1, about="text"):
        text = f'[delegation.remote_providers.big]\nprovider = "openai"\nendpoint = "{server.url}"\nmodel = "m"\n'
        (folder / "own.toml").write_text(text, encoding="utf-8")
        for place in range(times):
            assert rtfs("run", "ask.rtfs", f"{about} {place}", "--config", "own.toml").code == 0

    return run


def test_a_model_that_fails_is_shown_and_reset(rtfs, project):
    def shown(*args):
        return rtfs("health", *args, "--config", "own.toml")

    with OpenAIServer(then=Fail(503)) as server:
        project(server, 8)
        assert len(server.requests) == 5
        assert "remote-big  open" in shown("list").out
        (big,) = (each for each in shown("list", "--json").data["targets"] if each["target"] == "remote-big")
        assert (big["state"], big["reason"]) == ("open", "safe")
        assert 0 < big["probe_in"] <= 30
        assert shown("reset", "--json").data == {"reset": ["remote-big"], "shared": True}
        assert shown("reset", "remote-big").out == "nothing to reset: no model is left alone\n"
        project(server, 1, about="more")
        assert len(server.requests) > 5


def test_a_name_that_nothing_bears(rtfs, project):
    with OpenAIServer() as server:
        project(server)
        result = rtfs("health", "reset", "remote-bgi", "--config", "own.toml")
        assert result.code == 2
        assert "did you mean 'remote-big'?" in result.err


@pytest.mark.parametrize("args", [["--help"], ["list", "--help"], ["reset", "--help"]])
def test_help_has_examples(rtfs, args):
    assert "rtfs health" in rtfs("health", *args).out
