"""The child's folder: what a killed host left behind is swept, what somebody still uses is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtfs_provider_llama import scratch

HOLDER = (
    "import sys; from rtfs_provider_llama.scratch import hold; hold(sys.argv[1]); print('held', flush=True); input()"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def old(path):
    os.utime(path, (1, 1))


def test_a_folder_that_nobody_holds_is_swept_when_it_is_old(folder):
    left, new = Path(scratch.make()), Path(scratch.make())
    (left / "server.sock").touch()
    old(left)
    scratch.make()
    assert (left.exists(), new.exists()) == (False, True)


def test_a_folder_that_a_process_holds_stays_until_it_ends(folder):
    used = Path(scratch.make())
    command = [sys.executable, "-c", HOLDER, str(used)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        old(used)
        scratch.make()
        assert used.exists()
        process.kill()
    old(used)
    scratch.make()
    assert not used.exists()


def test_what_only_looks_like_a_folder_of_ours_stays(folder):
    (folder / "elsewhere").mkdir()
    link = folder / "rtfs-llama-link"
    link.symlink_to(folder / "elsewhere")
    old(folder / "elsewhere")
    scratch.make()
    assert link.is_symlink()
    assert (folder / "elsewhere").exists()
