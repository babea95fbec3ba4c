"""No way out of the sandbox through what is kept: what this user's key did not seal is compiled anew, never run."""

from __future__ import annotations

import marshal
import os

import pytest

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.codegen.stored import dump_artifact
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.remembering.artifacts.seal import FILE, Seal, SealError, make_seal, read_seal

PROGRAM = "(+ 20 22)"
posix = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


def planted(ran):
    """Return an entry whose code would leave a mark."""
    module = compile(f"def rtfs_main(): return ().__class__.__base__ and open({ran!r}, 'w') and 666", "<x>", "exec")
    artifact = compile_source(Source("<test>", PROGRAM))
    code, *rest = marshal.loads(dump_artifact(artifact))
    assert code.co_filename == "<rtfs <test>>"
    return marshal.dumps((({}, {}), marshal.dumps((module, *rest))))


@pytest.fixture
def kept(value, shelf):
    """Run a program once; return its key and what was kept."""
    assert value(PROGRAM) == 42
    ((digest, sealed),) = shelf.entries.items()
    return digest, sealed


def assert_refused(value, shelf, compiled, digest, entry):
    shelf.entries[digest] = entry
    before = len(compiled)
    assert value(PROGRAM) == 42
    assert len(compiled) == before + 1
    assert value(PROGRAM) == 42
    assert len(compiled) == before + 1, "what was refused was not replaced"


def test_one_changed_bit_anywhere_is_seen(value, shelf, compiled, kept):
    digest, sealed = kept
    for place in range(0, len(sealed), max(1, len(sealed) // 60)):
        assert_refused(
            value, shelf, compiled, digest, sealed[:place] + bytes([sealed[place] ^ 4]) + sealed[place + 1 :]
        )


@pytest.mark.parametrize("length", [0, 1, 13, 14, 40, 46, 47, -1])
def test_a_shortened_entry(value, shelf, compiled, kept, length):
    digest, sealed = kept
    assert_refused(value, shelf, compiled, digest, sealed[:length])


def test_a_lengthened_entry(value, shelf, compiled, kept):
    digest, sealed = kept
    assert_refused(value, shelf, compiled, digest, sealed + b"\0")


@pytest.mark.parametrize("entry", ["text", 5, [b"rows"]])
def test_what_is_no_bytes(value, shelf, compiled, kept, entry):
    assert_refused(value, shelf, compiled, kept[0], entry)


def test_code_that_was_planted_is_not_run(value, shelf, compiled, kept, tmp_path):
    digest, sealed = kept
    body = planted(str(tmp_path / "ran"))
    for entry in (body, sealed[:46] + body, Seal(b"k" * 32).close(digest.encode(), body)):
        assert_refused(value, shelf, compiled, digest, entry)
    assert not (tmp_path / "ran").exists()


def test_another_programs_entry_is_not_this_ones(value, shelf, compiled, kept):
    digest, _ = kept
    assert value("(+ 1 1)") == 2
    (other,) = [entry for key, entry in shelf.entries.items() if key != digest]
    assert_refused(value, shelf, compiled, digest, other)


def test_a_new_key_makes_everything_new(value, compiled, kept, tmp_path):
    before = len(compiled)
    (tmp_path / "home" / "cache" / FILE).unlink()
    assert value(PROGRAM) == 42
    assert len(compiled) == before + 1


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path, mode):
    make_seal(str(tmp_path))
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(SealError, match="not this user's alone"):
        read_seal(str(tmp_path))
    with pytest.raises(SealError, match="not this user's alone"):
        make_seal(str(tmp_path))


@posix
def test_a_key_of_somebody_else_is_refused(tmp_path, monkeypatch):
    make_seal(str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(SealError, match="not this user's alone"):
        read_seal(str(tmp_path))


@posix
def test_a_key_that_is_a_link_is_refused(tmp_path):
    make_seal(str(tmp_path / "real"))
    (tmp_path / FILE).symlink_to(tmp_path / "real" / FILE)
    with pytest.raises(SealError, match="cannot be opened"):
        make_seal(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_key_is_refused(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(SealError, match="is no key"):
        make_seal(str(tmp_path))


@posix
def test_a_new_key_is_the_users_alone(tmp_path):
    old = os.umask(0)
    try:
        make_seal(str(tmp_path / "new"))
    finally:
        os.umask(old)
    assert (tmp_path / "new" / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE]


def test_what_is_sealed_for_one_purpose_is_nothing_for_another(tmp_path):
    seal = make_seal(str(tmp_path))
    sealed = seal.close(b"a", b"data")
    assert bytes(read_seal(str(tmp_path)).open(b"a", sealed)) == b"data"
    for purpose in (b"b", b"", b"a:"):
        with pytest.raises(SealError, match="does not fit"):
            seal.open(purpose, sealed)
