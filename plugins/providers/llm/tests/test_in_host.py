"""A program whose calls a model of llm's answers: typed, repaired once, with what it took on the record."""

from __future__ import annotations

import pytest

from rtfs_framework.api import ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.load import load_catalog

PROGRAM = """
(defn mood "The mood." ^:delegation :remote "it" [text : :string] : [:enum :positive :negative] :negative)
(mood "fine")
"""
CONFIG = """
[delegation.remote_providers.it]
provider = "llm"
model = "made-sync"
input_cost = 1
output_cost = 1
"""


@pytest.fixture
def run(tmp_path):
    """Return what runs the program, and answers its value and how often the model was asked."""

    def ran(config=CONFIG):
        path = tmp_path / "delegation.toml"
        path.write_text(config, encoding="utf-8")
        environ = {"RTFS_HOME": str(tmp_path / "home")}
        opened = Session.open(config_path=path, environ=environ, catalog=load_catalog({}), journal=False)
        with opened as session:
            return session.run(Source("prog.rtfs", PROGRAM))

    return ran


def test_an_answer_that_does_not_fit_is_told_to_the_model_once(run, models):
    models.says[:] = ['{"value": "so-so"}', '{"value": "positive"}']
    assert str(run().value) == ":positive"
    first, again = [prompt.prompt for prompt, _ in models.asked]
    assert again.startswith(first)
    assert 'You answered:\n"so-so"' in again


def test_a_model_that_is_not_there_is_an_error_that_says_which_are(run):
    with pytest.raises(ProgramError, match=r"offers the model 'made-synk'\. did you mean 'made-sync'"):
        run(CONFIG.replace("made-sync", "made-synk"))
