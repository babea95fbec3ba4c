"""A stack in a host: members from the configuration, and each mistake with its place."""

from __future__ import annotations

import json

import pytest

from rtfs_framework import Session
from rtfs_framework.api import ConfigError, ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.registry import load_catalog

pytestmark = pytest.mark.needs("rtfs-provider-stack", "rtfs-provider-rules")

CONFIG = """
[delegation.local_models.other]
provider = "rules"
rules = "sentiment"
{other}
[delegation.local_models.mood]
provider = "stack"
model = "stack.json"
members = [{members}]
{more}
"""
PROGRAM = Source(
    "mood.rtfs",
    '(defn mood ^:delegation :local-model "mood" [text : :string] : [:enum :bad :good] :bad)\n(defn main [t] (mood t))',
)


@pytest.fixture
def opened(tmp_path, model_data):
    def session(members='"local-other"', other="", more="", plugins="stack,rules"):
        (tmp_path / "stack.json").write_text(json.dumps(model_data), encoding="utf-8")
        path = tmp_path / "delegation.toml"
        path.write_text(CONFIG.format(members=members, other=other, more=more), encoding="utf-8")
        environ = {"RTFS_HOME": str(tmp_path / "home"), "RTFS_PLUGINS": plugins}
        return Session.open(config_path=path, environ=environ, catalog=load_catalog(environ))

    return session


def test_members_are_asked_by_the_host(opened) -> None:
    with opened() as session:
        result = session.run(PROGRAM, ("awful",))
        (call,) = result.calls
    assert result.value.name == "bad"
    assert "other says" in call.explanation
    assert 0 < call.confidence < 1


@pytest.mark.parametrize(
    ("changes", "place", "why"),
    [
        ({"members": '"local-nobody"'}, ":9:12", "no local model 'nobody' is configured"),
        ({"members": '"local-other", "local-pure"'}, ":9:27", "'local-pure' is no local model"),
        ({"other": "input_cost = 1.0"}, ":9:12", "'local-other' has a price"),
        ({"members": '"local-mood"'}, ":9:12", "'mood' would ask itself: mood -> mood"),
        ({"members": "1"}, ":9:12", "must be a text"),
    ],
)
def test_wrong_members_are_told_with_their_place(opened, changes, place, why) -> None:
    with pytest.raises(ConfigError, match=why) as refused, opened(**changes):
        pass
    assert place in str(refused.value)


@pytest.mark.needs("rtfs-provider-openai")
def test_a_server_is_no_member_whatever_its_table_is_called(opened) -> None:
    more = '[delegation.local_models.far]\nprovider = "openai"\nendpoint = "https://models.example/v1"'
    with pytest.raises(ConfigError, match="'local-far' is answered by a server") as refused:  # noqa: SIM117
        with opened(members='"local-far"', more=more, plugins="stack,rules,openai"):
            pass
    assert ":9:12" in str(refused.value)


def test_two_that_would_ask_each_other_are_refused(opened) -> None:
    more = '[delegation.local_models.twin]\nprovider = "stack"\nmodel = "stack.json"\nmembers = ["local-mood"]'
    with (
        pytest.raises(ConfigError, match="'mood' would ask itself: mood -> twin -> mood"),
        opened(members='"local-twin"', more=more),
    ):
        pass


def test_a_model_that_was_fitted_to_others_is_told_when_it_is_asked(opened, model_data) -> None:
    model_data["members"] = ["elsewhere"]
    with opened() as session, pytest.raises(ProgramError, match="fitted to the members elsewhere, and has: other"):
        session.run(PROGRAM, ("fine",))


def test_marks_are_those_of_the_members(opened) -> None:
    more = (
        '[labels]\nmarks = ["x", "y"]\n[labels.accepts]\nlocal-other = ["x"]\n[labels.providers]\nlocal-other = ["y"]'
    )
    with opened(more=more) as session:
        labels = session.host.config.labels
    assert labels.accepts["local-mood"] == {"x"}
    target = next(each for each in labels.providers if each.id == "mood")
    assert labels.providers[target] == {"y"}


def test_who_asks_one_that_may_change_its_mind_may_do_so_too(opened) -> None:
    with opened() as session:
        (mood,) = [each for target, each in session.host.pool.instances.items() if target.id == "mood"]
        assert mood.entry.deterministic
        assert mood.unusable() is None
        assert set(mood.members) == {"local-other"}
