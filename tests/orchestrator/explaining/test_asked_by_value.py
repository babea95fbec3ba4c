"""What asks the host is seen although it is handed on as a value: by `check`, by manifests, and in the record."""

from __future__ import annotations

import pytest

from rtfs_framework.orchestrator.explaining.market.needs import COMPUTED, needs
from rtfs_framework.orchestrator.recording.journal.query import list_runs, show_run

GRANT = '[security]\ngrant = ["acme.echo"]\n'
BY_VALUE = [
    "(map call [:acme.echo])",
    "(mapv (partial call :acme.echo) [1])",
    "(apply call [:acme.echo 1])",
    "(let [f call] (f :acme.echo 1))",
    "((fn [g] (g :acme.echo 1)) call)",
    "(get {:a (call :acme.echo 1)} :a) call",
    "[call]",
]


@pytest.fixture
def session(kit, capability):
    catalog = kit.catalog(capabilities=[capability("acme.echo", lambda request: request.args)])
    with kit.open(catalog, GRANT) as opened:
        yield opened


@pytest.mark.parametrize("text", BY_VALUE)
def test_it_is_told_that_names_are_computed(session, source, text):
    found = needs(session.host, session.link(source(text)).artifact)
    assert COMPUTED in [each.state for each in found]


@pytest.mark.parametrize("text", BY_VALUE[:5])
def test_the_run_is_in_the_journal(kit, session, source, text):
    session.run(source(text))
    (run,) = list_runs(kit.journal)
    _, calls = show_run(kit.journal, run.id)
    assert [each["target"] for each in calls] == ["capability acme.echo"]


@pytest.mark.parametrize("text", ["(call :acme.echo 1)", "(map inc [1])", "(let [call inc] (map call [1]))", "'call"])
def test_what_is_called_by_its_name_computes_none(session, source, text):
    found = needs(session.host, session.link(source(text)).artifact)
    assert COMPUTED not in [each.state for each in found]
