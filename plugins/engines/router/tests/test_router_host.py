"""The engine in a host: from a configuration to calls that go to either side, and mistakes with their place."""

from __future__ import annotations

import pytest

from rtfs_framework import Session
from rtfs_framework.api import ConfigError, PluginError
from rtfs_framework.lang.source import Source
from rtfs_framework.registry import load_catalog

CONFIG = """
[delegation]
engine = "pick"
[engines.pick]
plugin = "router"
router = "models/router.json"
weak = "local-pure"
strong = "local-pure"
symbols = ["answer"]
{more}
"""
PROGRAM = Source("ask.rtfs", '(defn answer [q :string] : :string "own") (defn main [q] (answer q))')


@pytest.fixture
def opened(tmp_path, model_file):
    folder = tmp_path / "models"
    folder.mkdir()
    model_file.rename(folder / "router.json")

    def session(more=""):
        path = tmp_path / "delegation.toml"
        path.write_text(CONFIG.format(more=more), encoding="utf-8")
        environ = {"RTFS_HOME": str(tmp_path / "home"), "RTFS_PLUGINS": "router"}
        return Session.open(config_path=path, environ=environ, catalog=load_catalog(environ))

    return session


def test_the_model_is_found_beside_the_configuration_whatever_the_folder(opened, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with opened() as session:
        calls = [session.run(PROGRAM, (text,)).calls[0] for text in ("sum", "prove that " * 60)]
    assert ["weak is up to" in each.decision.plan.reasoning for each in calls] == [True, False]
    assert "strong is above" in calls[1].decision.plan.reasoning


def test_another_model_is_another_policy(opened, tmp_path):
    with opened() as session:
        before = session.host.policy_hash
    model = tmp_path / "models/router.json"
    model.write_text(model.read_text().replace("0.125", "0.25"))
    with opened() as session:
        assert session.host.policy_hash != before


def test_a_damaged_model_stops_the_start(opened, tmp_path):
    (tmp_path / "models/router.json").write_text("{}")
    with pytest.raises(PluginError, match="no fitted router: 'the file' has no 'format'"):
        opened()


@pytest.mark.parametrize(
    ("more", "told"),
    [("remote_share = 1.5", "remote_share"), ("remote_share = 'much'", "remote_share"), ("shares = 1", "shares")],
)
def test_mistakes_in_the_table_have_their_place(opened, more, told):
    with pytest.raises(ConfigError) as raised:
        opened(more)
    (found,) = raised.value.diagnostics
    assert told in found.message
    assert found.place.line == 10
