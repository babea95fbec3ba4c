"""The hook `rtfs_engines`: a record that it offers is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

from rtfs_framework.api import DelegationPlan, EngineEntry, EngineSettings, LocalPure, PlanSource
from rtfs_framework.testing.fakes import call_context


def test_a_record_is_in_the_catalog(offering):
    class Stays:
        def __init__(self, settings):
            self.settings = settings

        def claims(self):
            return ()

        def decide(self, context):
            return DelegationPlan(target=LocalPure(), reasoning="always here", source=PlanSource.ENGINE, engine="stays")

    entry = EngineEntry(name="stays", summary="Sends nothing away.", factory=Stays)
    catalog = offering("rtfs_engines", entry)
    assert catalog.engine("stays") is entry
    engine = catalog.engine("stays").factory(EngineSettings())
    assert engine.decide(call_context("x")).target == LocalPure()


def test_what_is_no_record_is_refused(offering, refused):
    catalog = offering("rtfs_engines", "mine")
    refused(catalog, "`rtfs_engines` offers a str, which is no EngineEntry")
    assert not catalog.engines
