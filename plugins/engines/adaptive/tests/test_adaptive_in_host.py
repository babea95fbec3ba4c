"""The engine in a host: plans are kept where nothing is drawn, runs replay, settings are refused at their place."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rtfs_framework.api import ConfigError
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.orchestrator.session import Session

pytestmark = pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo", "rtfs-cache-l1")

HEAD = """
[delegation]
engine = "learned"
[delegation.static_routes]
f = ["local-echo", "local-other"]
[delegation.local_models.echo]
provider = "echo"
[delegation.local_models.other]
provider = "echo"
[engines.learned]
plugin = "adaptive"
base = "static"
"""
MANY = "(defn f [x] :own)\n(map f (range 60))"


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens a session with a configuration."""

    def load(text="", **options):
        file = tmp_path / "delegation.toml"
        file.write_text(HEAD + text, encoding="utf-8")
        environ = {"RTFS_PLUGINS": "static,echo,adaptive,l1,l2", "RTFS_HOME": str(tmp_path / "home")}
        return Session.open(config_path=file, environ=environ, **options)

    return load


def test_runs_with_exploration_replay_without_a_difference(opened, tmp_path):
    with opened() as session:
        runs = [session.run(MANY) for _ in range(3)]
    shares = {call.decision.plan.propensity for run in runs for call in run.calls}
    targets = {call.target for run in runs for call in run.calls}
    assert targets == {"local-model echo", "local-model other"}
    assert all(0.0 < share < 1.0 for share in shares)
    home = tmp_path / "home"
    with opened(journal=False) as session, history_of(home / "journal.sqlite", home) as history:
        found = [each.result for run in runs for each in replay(session.host, history, run.run_id)]
    assert (len(found), set(found)) == (180, {Repeated.SAME})


def versions(decision):
    """Return the versions of what was learned that a decision rests on."""
    rests = decision.stands_on or decision
    return [key for read, key, _ in rests.footprint if read[0] == "state"]


def test_plans_without_a_draw_are_kept_until_something_is_learned(opened):
    with opened("exploration = 0.0\nlearning = 0.0\n") as session:
        session.run(MANY)
        session.host.learning.catch_up()
        made = [session.run("(defn f [x] :own)\n(f 1)").calls[0].decision for _ in range(20)]
    for first, second in pairwise(made):  # a thread publishes what was learned once a second, between any two of them
        same = versions(first) == versions(second)
        assert (second.cache == "l1 hit") == same
        assert second.plan.target == first.plan.target or not same
    assert "l1 hit" in {each.cache for each in made}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exploration = 2.0", "exploration"),
        ("exploration = 0.5\nlearning = 0.1", "learning"),
        ("samples = 0", "samples"),
        ("decay = 0.1", "decay"),
        ('features = ["moon"]', "features"),
        ("explore = 0.1", "did you mean 'exploration'?"),
        ("weights = { success = -1.0 }", "success"),
        ("threshold = { base = 0.95 }", "between"),
    ],
)
def test_settings_that_mean_nothing_are_refused(opened, text, said):
    with pytest.raises(ConfigError) as raised:
        opened(text)
    (found,) = raised.value.diagnostics
    assert said in str(found) + str(found.help)
