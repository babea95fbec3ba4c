"""Files within their roots: read, listed, written whole or not at all, bounded."""

from __future__ import annotations

import os

import pytest

from rtfs_capability_files import files
from rtfs_capability_files.plugin import FilesGrant, rtfs_capabilities
from rtfs_framework.api import CapabilityError, CapabilityGrant, CapabilityRequest, Keyword, Map

OFFERED = {entry.id: entry for entry in rtfs_capabilities()}


def _of(**options):
    return Map.wrap({Keyword(name): value for name, value in options.items()})


@pytest.fixture
def call(tmp_path):
    """Return what makes a call under grants, each a dict of a grant's keys."""

    def make(id_, *args, grants=({},), base=tmp_path):
        made = tuple(CapabilityGrant(FilesGrant(**{"roots": (".",), **each}), str(base)) for each in grants)
        return OFFERED[id_].handler(CapabilityRequest(id_, args, grants=made))

    return make


def _names(folder):
    return sorted(each.name for each in folder.iterdir())


def _refusal(call, *args, **more):
    with pytest.raises(CapabilityError) as caught:
        call(*args, **more)
    return caught.value.kind, str(caught.value)


def test_a_text_is_read_as_it_is_but_for_its_mark(call, tmp_path):
    """Line ends stay; the mark of UTF-8 is no part of the text."""
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\xc3\xa9")
    assert call("fs.read", "a.txt") == "one\r\ntwoé"


@pytest.mark.parametrize(
    ("encoding", "text"), [("latin-1", "caf\xe9"), ("Latin1-", "caf\xe9"), ("utf-16", "é"), ("cp1252", "€")]
)
def test_a_call_names_another_encoding(call, tmp_path, encoding, text):
    """As Python calls it."""
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert call("fs.read", _of(path="a.txt", encoding=encoding)) == text
    kind, words = _refusal(call, "fs.read", "a.txt")
    assert kind == "InvalidArgument"
    assert ":encoding" in words


@pytest.mark.parametrize(
    "name",
    [
        "hex",
        "rot13",
        "zlib",
        "undefined",
        "idna",
        "os.path",
        "../x",
        "",
        "utf-8\0",
        "x" * 99,
        "punycode-",
        "Punycode__",
        "unicode--escape",
        "raw-unicode_-escape-",
        "unicode_escape_",
        "idna-",
        "undefined_",
        "hex-",
        "base64--codec",
    ],
)
def test_what_is_no_text_encoding_is_refused(call, tmp_path, name):
    """Codecs that make something else of bytes are none, and names are no paths."""
    (tmp_path / "a.txt").write_bytes(b"00")
    kind, words = _refusal(call, "fs.read", _of(path="a.txt", encoding=name))
    assert kind == "InvalidArgument"
    assert "no text encoding" in words


@pytest.mark.parametrize("name", ["utf-8", "UTF8", "u8", "utf_8-", "utf-8-sig"])
def test_the_mark_of_utf_8_is_no_part_of_a_text(call, tmp_path, name):
    """However the encoding is written."""
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfx")
    assert call("fs.read", _of(path="a.txt", encoding=name)) == "x"


@pytest.mark.parametrize("roots", [("./data", "~nosuchuser-7f3a/x"), ("a\0b",), ("",), ()], ids=repr)
def test_a_grant_of_no_path_is_refused_when_it_is_read(roots):
    """Not in the middle of a program."""
    with pytest.raises(ValueError, match="'roots'"):
        FilesGrant(roots=roots)


def test_a_path_may_start_at_the_configuration_or_be_absolute(call, tmp_path):
    """Both lie under the root; where a root lies beside the configuration, `..` leads to it."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "conf").mkdir()
    (tmp_path / "shared/a.txt").write_text("text", encoding="utf-8")
    grants = ({"roots": ("../shared",)},)
    for path in ("../shared/a.txt", "./../shared//./a.txt", str(tmp_path / "shared/a.txt")):
        assert call("fs.read", path, grants=grants, base=tmp_path / "conf") == "text"


def test_links_within_a_root_are_followed(call, tmp_path):
    """Of files and of folders, `..` in them too."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    (tmp_path / "sub/link").symlink_to("../a.txt")
    (tmp_path / "other").symlink_to("sub")
    assert call("fs.read", "other/link") == "text"
    assert call("fs.write", "other/link", "new") == 3
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "sub/link").is_symlink()


def test_any_grant_may_allow_a_call(call, tmp_path):
    """The second root holds it, or the second grant has room for it."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "two/a.txt").write_text("text", encoding="utf-8")
    assert call("fs.read", "two/a.txt", grants=({"roots": ("one", "two")},)) == "text"
    assert call("fs.read", "two/a.txt", grants=({"roots": ("one",)}, {"roots": ("two",)})) == "text"
    small, large = {"most_bytes": 3}, {"most_bytes": 4}
    assert call("fs.read", "two/a.txt", grants=(small, large)) == "text"
    kind, words = _refusal(call, "fs.read", "two/a.txt", grants=(small,))
    assert kind == "SecurityViolation"
    assert "most_bytes" in words


@pytest.mark.parametrize("id_", ["fs.write", "fs.append"])
def test_no_more_is_written_than_the_grant_says(call, tmp_path, id_):
    """Bytes count, not characters; nothing is written then."""
    kind, _ = _refusal(call, id_, "a.txt", "éé", grants=({"most_bytes": 3},))
    assert kind == "SecurityViolation"
    assert _names(tmp_path) == []


def test_a_file_is_replaced_whole_and_keeps_its_mode(call, tmp_path):
    """Nothing of the way is left beside it."""
    (tmp_path / "a.txt").write_text("old and longer", encoding="utf-8")
    (tmp_path / "a.txt").chmod(0o640)
    assert call("fs.write", "a.txt", "new") == 3
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "a.txt").stat().st_mode & 0o7777 == 0o640
    assert _names(tmp_path) == ["a.txt"]


def test_a_file_stays_as_it_was_when_the_system_fails(call, tmp_path, monkeypatch):
    """A full disk leaves the old text, and no half of the new one."""
    (tmp_path / "a.txt").write_text("old", encoding="utf-8")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    kind, words = _refusal(call, "fs.write", "a.txt", "new")
    assert (kind, words) == ("IoError", '"a.txt": no space left on device')
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"
    assert _names(tmp_path) == ["a.txt"]


def test_a_text_is_added_to_a_file_that_may_be_new(call, tmp_path):
    """At its end."""
    assert call("fs.append", "log.txt", "one\n") == 4
    assert call("fs.append", "log.txt", "two\n") == 4
    assert (tmp_path / "log.txt").read_text(encoding="utf-8") == "one\ntwo\n"


def test_half_a_character_is_not_written(call, tmp_path):
    """A text with a lone surrogate has no bytes."""
    assert _refusal(call, "fs.write", "a.txt", "\ud800")[0] == "InvalidArgument"
    assert _names(tmp_path) == []


@pytest.mark.parametrize("id_", ["fs.write", "fs.append"])
def test_the_folder_of_a_new_file_must_be_there(call, id_):
    """No folder is made on the way."""
    assert _refusal(call, id_, "none/a.txt", "text") == ("IoError", '"none/a.txt": no such file or directory')
    assert _refusal(call, id_, ".", "text")[0] == "IoError"


def test_a_file_is_removed_once(call, tmp_path):
    """The second time there is none; folders stay."""
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    assert call("fs.delete", "a.txt") is True
    assert call("fs.delete", "a.txt") is False
    assert _refusal(call, "fs.delete", "sub")[0] == "IoError"
    assert _names(tmp_path) == ["sub"]


def test_a_folder_is_listed_by_name_and_links_are_not_followed(call, tmp_path):
    """Kinds, sizes and times; a name that is no text is left out."""
    (tmp_path / "b.txt").write_text("four", encoding="utf-8")
    (tmp_path / "a").mkdir()
    (tmp_path / "c").symlink_to("/etc/passwd")
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff", os.O_CREAT))
    os.utime(tmp_path / "b.txt", (0, 0))
    found = call("fs.list", ".")
    shown = [(each.get(Keyword("name")), each.get(Keyword("kind")).name) for each in found]
    assert shown == [("a", "folder"), ("b.txt", "file"), ("c", "link")]
    assert found[1].get(Keyword("bytes")) == 4
    assert found[1].get(Keyword("modified")).text == "1970-01-01T00:00:00Z"


def test_a_listing_is_bounded_and_shows_files_of_the_globs(call, tmp_path):
    """Folders are shown, for they may hold such files."""
    for name in ("a.csv", "b.csv", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    names = [each.get(Keyword("name")) for each in call("fs.list", ".", grants=({"globs": ("*.csv",)},))]
    assert names == ["a.csv", "b.csv", "sub"]
    kind, words = _refusal(call, "fs.list", ".", grants=({"most_rows": 3},))
    assert kind == "SecurityViolation"
    assert "most_rows" in words


def test_what_is_there_is_told_and_what_is_not_is_nil(call, tmp_path):
    """A link within the root is what it leads to."""
    (tmp_path / "a.txt").write_text("four", encoding="utf-8")
    (tmp_path / "link").symlink_to("a.txt")
    for path in ("a.txt", "link"):
        assert call("fs.stat", path).get(Keyword("bytes")) == 4
    assert call("fs.stat", ".").get(Keyword("kind")) == Keyword("folder")
    assert call("fs.stat", "none") is None
    assert [call("fs.exists", path) for path in ("a.txt", "none", "none/deeper")] == [True, False, False]


def test_a_system_that_cannot_keep_paths_inside_is_refused(call, monkeypatch):
    """As Windows, where no name can be opened from an open folder."""
    monkeypatch.setattr("rtfs_capability_files.grants.POSSIBLE", False)
    assert _refusal(call, "fs.read", "a.txt")[0] == "ResourceError"


@pytest.mark.parametrize("roots", [(), ("",), ("data", " ")])
def test_a_grant_names_folders(roots):
    """None, or one without a name, is a mistake of the configuration."""
    with pytest.raises(ValueError, match="at least one folder"):
        FilesGrant(roots=roots)


def test_a_grant_without_roots_cannot_be_made():
    """So a bare name in `grant` grants nothing."""
    with pytest.raises(TypeError):
        FilesGrant()
