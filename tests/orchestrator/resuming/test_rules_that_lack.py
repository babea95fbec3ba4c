"""A run is not gone on with where it may not use what it might when it began: it would end with its rest undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtfs_framework.api import CapabilityEntry
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.journal.outside import tell
from rtfs_framework.orchestrator.recording.purse import RunParked
from rtfs_framework.orchestrator.running.past_calls import ResumeError
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

NAMED = "(defn main [] (do (host/wait-for :go) (call :put 1)))"
COMPUTED = '(defn main [] (let [name (str "p" "ut")] (do (host/wait-for :go) (call name 1))))'
GRANTED = '[security]\ngrant = ["put"]\n'


@pytest.fixture
def opened(kit):
    """Return a function that opens a session under a configuration, whose file was asked for."""
    entry = CapabilityEntry(id="put", summary="A fake.", handler=lambda _: "put")
    catalog = Catalog(capabilities={"put": (entry, Provenance("acme-plugin", "1.2", "acme"))})

    def open_(text, name="my rules.toml"):
        (kit.home / name).write_text(text)
        session = Session.open(config_path=kit.home / name, catalog=catalog, environ=kit.environ)
        session.park()
        return session

    return open_


def begun(opened, source, text, rules=GRANTED):
    """Begin a run that waits; return its id, and what is said of it."""
    with opened(rules) as session, pytest.raises(RunParked) as parked:
        session.run(source(text), entry="main")
    return parked.value.run, str(parked.value)


def gone_on(opened, run, rules, **how):
    with opened(rules) as session:
        tell(session.host.journal, run, "signalled", {"name": "go"}, value_text(None))
        return session.resume(Resuming(run=run, **how)).value


@pytest.mark.parametrize("text", [NAMED, COMPUTED], ids=["named", "computed"])
@pytest.mark.parametrize("rules", ["", '[security]\ngrant = ["put"]\ndeny = ["p*"]\n', '[security]\nlevel = "pure"\n'])
def test_a_run_is_left_as_it_is_where_rules_lack_what_it_might_use(kit, opened, source, text, rules):
    run, _ = begun(opened, source, text)
    with pytest.raises(ResumeError, match=r"might use '(put|host.wait-for)' when it began, and may not here") as caught:
        gone_on(opened, run, rules)
    assert (caught.value.code, "--config FILE" in caught.value.way_out) == ("E0726", True)
    assert query.list_runs(Path(kit.journal))[0].status == "waiting"
    assert gone_on(opened, run, GRANTED) == "put"


def test_what_it_might_not_use_when_it_began_keeps_nobody_from_going_on(opened, source):
    text = '(defn main [] (do (host/wait-for :go) (try (call :put 1) (catch e "refused"))))'
    run, _ = begun(opened, source, text, "")
    assert gone_on(opened, run, GRANTED) == "refused"


def test_the_way_on_names_the_configuration_that_was_asked_for(kit, opened, source):
    run, said = begun(opened, source, NAMED)
    assert said.endswith(f"go on with `rtfs runs resume {run[:12]} --config '{kit.home / 'my rules.toml'}'`")
