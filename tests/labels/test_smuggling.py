"""Programs that try to bring what carries a mark to somebody who does not accept it.

Each file of `programs/smuggling/` says in its header what it tries. Nothing derived from the secret may leave: so what
leaves (requests to models elsewhere, calls of capabilities, what observers hear) must be the same whatever the secret
is. That each program would smuggle is shown by running it without labels: then what leaves tells two secrets apart.
"""

from __future__ import annotations

import pytest
from smuggling.hosts import NEEDED, SECRETS, Hosts, programs

pytestmark = pytest.mark.needs(*NEEDED)

SMUGGLING = programs("smuggling")


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    made = Hosts(tmp_path_factory.mktemp("hosts"))
    yield made
    made.close()


def named(program):
    return program.path.stem


@pytest.mark.parametrize("program", SMUGGLING, ids=named)
def test_nothing_that_tells_secrets_apart_leaves(program, hosts):
    sent = [hosts.left(program, secret, labels=True).sent for secret in SECRETS]
    assert sent == [sent[0]] * len(SECRETS), program.header["tries"]


@pytest.mark.parametrize("program", SMUGGLING, ids=named)
def test_without_labels_it_would(program, hosts):
    one, other = (hosts.left(program, secret, labels=False).sent for secret in SECRETS[:2])
    assert one != other, program.header["tries"]


def test_there_are_as_many_as_promised():
    assert len(SMUGGLING) >= 190
