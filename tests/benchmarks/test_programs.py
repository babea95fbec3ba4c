"""Every program of the benchmarks gives the same in RTFS and in Python, at small sizes; no time is looked at."""

from __future__ import annotations

import pytest

from benchmarks.catalog import FOLDER, PROGRAMS, CannotExpressError
from benchmarks.measure import compare
from benchmarks.peers.all import all_peers
from benchmarks.peers.contract import closing, installed
from benchmarks.peers.python import Python
from benchmarks.peers.rtfs import Rtfs
from rtfs_framework.kernel import limits


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_rtfs_and_python_agree_with_limits_and_without(program):
    python = Python().prepare(program, program.small)()
    for bounds in (limits.OFF, limits.Limits()):
        value = Rtfs("rtfs", bounds).prepare(program, program.small)()
        assert (type(value), value) == (type(python), python)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_result_depends_on_the_size(program):
    small, other = (Python().prepare(program, size)() for size in (program.small, 2 * program.small))
    assert small != other


@pytest.mark.parametrize("peer", [p for p in all_peers() if installed(p)], ids=lambda peer: peer.name)
def test_installed_peers_agree(peer):
    """Only where they are installed: in the env `bench`."""
    with closing((peer,)):
        for program in PROGRAMS:
            cells = compare(program, (Python(), peer), size=program.small, rounds=1).cells
            assert not cells[peer.name].reason, program.name


def test_every_folder_is_a_program_of_the_catalog():
    assert {folder.name for folder in FOLDER.iterdir() if folder.is_dir()} == {p.name for p in PROGRAMS}


def test_a_missing_file_is_said_with_the_reason(monkeypatch):
    from attrs import evolve

    program = evolve(PROGRAMS[0], cannot={"cobol": "it has no recursion"})
    with pytest.raises(CannotExpressError, match="it has no recursion"):
        program.text("cobol", "program.cob")
