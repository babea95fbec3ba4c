"""What whoever asked for a run lets it spend bounds its branches, too."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.orchestrator.recording.purse import Purse, Terms

CONFIG = "[delegation.remote_providers.acme]\nprovider = 'acme'\n"
ASK = '(defn ^:delegation :remote "acme" f "Ask." [x :string] :string "own")\n'


@pytest.mark.parametrize(
    "calls",
    ['(pmap-settled f ["a" "b" "c" "d" "e"])', '(pmap (fn [x] (pmap-settled f [x (str x x) (str x "c")])) ["a" "b"])'],
    ids=["branches", "branches of branches"],
)
def test_branches_share_the_purse_of_their_run(kit, source, calls):
    entry = kit.provider("acme", lambda _: "paid", remote=True)
    with kit.open(kit.catalog(entry), CONFIG) as session:
        session.host.mind_purses()
        linked = attrs.evolve(session.link(source(ASK + calls)), terms=Terms(purse=Purse(calls=2)))
        session.run(linked)
    assert len(kit.providers["acme"].requests) == 2
