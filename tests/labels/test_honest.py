"""Honest programs that hold what carries a mark, and ask about what does not: they are not blocked.

Each file of `programs/honest/` says in its header what it shows, and how often it asks somebody who accepts no marks.
"""

from __future__ import annotations

import pytest
from smuggling.hosts import NEEDED, SECRETS, Hosts, programs

pytestmark = pytest.mark.needs(*NEEDED)

HONEST = programs("honest")


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    made = Hosts(tmp_path_factory.mktemp("hosts"))
    yield made
    made.close()


@pytest.mark.parametrize("program", HONEST, ids=lambda program: program.path.stem)
def test_an_honest_program_is_not_blocked(program, hosts):
    runs = [hosts.left(program, secret, labels=True) for secret in SECRETS[:2]]
    for run in runs:
        assert not isinstance(run.ended, Exception), run.ended
        assert len(run.sent) == int(program.header["sends"]), (run.sent, run.ended)
    assert (runs[0].sent == runs[1].sent) is (program.header["config"] != "granted")


def test_there_are_as_many_as_promised():
    assert len(HONEST) >= 30
