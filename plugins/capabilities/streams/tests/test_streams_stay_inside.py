"""Files are read below granted folders alone, whatever is tried."""

from __future__ import annotations

import os

import pytest

from rtfs_framework.api import CapabilityError, Keyword, Map

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="opens files step by step")
START, NEXT = "marketplace.stream.start", "marketplace.stream.next"


@pytest.fixture
def folder(tmp_path, desk):
    (tmp_path / "secret.txt").write_text("secret\n")
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "x.txt").write_text("secret\n")
    data = tmp_path / "data"
    (data / "in").mkdir()
    (data / "in" / "a.txt").write_text("a\nb\n")
    (data / "link.txt").symlink_to(tmp_path / "secret.txt")
    (data / "inside.txt").symlink_to(data / "in" / "a.txt")
    (data / "up").symlink_to(tmp_path)
    return tmp_path


def read(desk, path, kind="lines"):
    handle = desk.call(START, Map.of([(Keyword(kind), path)]))
    return desk.call(NEXT, handle, "{:max 9}").get(Keyword("items"))


@pytest.mark.parametrize("path", ["data/in/a.txt", "./data/in/a.txt", "data//in/./a.txt", "{base}/data/in/a.txt"])
def test_what_is_granted_is_read(desk, folder, path):
    assert read(desk, path.format(base=folder)) == ("a", "b")


@pytest.mark.parametrize("kind", ["lines", "jsonl", "pipe"])
@pytest.mark.parametrize(
    "path",
    [
        "secret.txt", "../secret.txt", "data/../secret.txt", "data/in/../../secret.txt", "{base}/secret.txt",
        "{base}/data/../secret.txt", "data/link.txt", "data/inside.txt", "data/up/secret.txt", "data/up/data/in/a.txt",
        "data/other", "data/in", "data", "", ".", "/", "/etc/passwd", "/dev/zero", "/proc/self/environ", "data\0/../x",
        "data/in/a.txt\0", "database/x.txt", "data/./../secret.txt", "~/x", "streams.sqlite", "file:///etc/passwd",
        "data/up/../secret.txt", "//etc/passwd",
    ],
)  # fmt: skip
def test_nothing_else_is(desk, folder, kind, path):
    other = folder / "data" / "other"
    if kind == "pipe":
        other.write_text("secret\n")
    else:
        os.mkfifo(other)
    with pytest.raises(CapabilityError) as found:
        read(desk, path.format(base=folder), kind)
    assert found.value.kind == "SecurityViolation"


def test_a_folder_that_becomes_a_link_meanwhile_is_not_followed(desk, folder):
    handle = desk.call(START, '{:lines "data/in/a.txt"}')
    desk.call(NEXT, handle)
    (folder / "data" / "in").rename(folder / "data" / "was")
    (folder / "data" / "in").symlink_to(folder / "database")
    with pytest.raises(CapabilityError, match="link"):
        desk.call(NEXT, handle)


def test_roots_are_looked_at_with_each_call_not_only_at_the_start(desk, another, folder):
    handle = desk.call(START, '{:lines "data/in/a.txt"}')
    with pytest.raises(CapabilityError, match="not granted"):
        another(roots=()).call(NEXT, handle)


def test_parts_of_merged_and_split_sources_are_looked_at_too(desk, folder):
    for text in ('{:merge [{:range [0 1]} {:lines "secret.txt"}]}', '{:split {:lines "secret.txt"} :into 1 :part 0}'):
        handle = desk.call(START, text)
        with pytest.raises(CapabilityError, match="not granted"):
            desk.call(NEXT, handle, "{:max 9}")


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"\xff\n", "IoError", "no UTF-8"),
        (b'{"a": 1', "TypeValidationError", "ends at byte 7"),
        (b"NaN\n", "TypeValidationError", "NaN"),
        (b"x" * (1 << 20) + b"x", "IoError", "more than"),
        (b"[" * 5000, "TypeValidationError", "nested|deep"),
    ],
)
def test_content_that_cannot_be_read_says_where(desk, folder, content, kind, words):
    (folder / "data" / "bad").write_bytes(content)
    with pytest.raises(CapabilityError, match=words) as found:
        read(desk, "data/bad", "jsonl")
    assert found.value.kind == kind


def test_a_followed_file_gives_whole_lines_as_they_come_and_says_when_it_was_cut(desk, folder):
    path = folder / "data" / "log"
    path.write_text("a\nb")
    handle = desk.call(START, '{:lines "data/log" :follow true}', '{:name "log"}')

    def more():
        found = desk.call(NEXT, handle, "{:max 9}")
        return found.get(Keyword("items")), found.get(Keyword("done"))

    assert more() == (("a",), False)
    path.write_text("a\nbc\nd\n")
    assert more() == (("bc", "d"), False)
    assert more() == ((), False)
    path.write_text("x\n")
    with pytest.raises(CapabilityError, match="shorter"):
        more()
