"""Files that are rotated, cut or replaced while a stream of them is paused: nothing is lost, doubled or mistaken."""

from __future__ import annotations

import shutil

import pytest

from rtfs_capability_streams import lines
from rtfs_framework.api import CapabilityError, Keyword

NEXT = "marketplace.stream.next"


class Log:
    """A file that a program writes and rotates, and a stream of it."""

    def __init__(self, desk, folder, *, follow=True):
        self.desk, self.path = desk, folder / "data" / "log"
        self.write("a", 5)
        source = '{:lines "data/log" :follow true}' if follow else '{:lines "data/log"}'
        desk.call("marketplace.stream.start", source, '{:name "log"}')
        assert self.read(3) == ("a0", "a1", "a2")

    def write(self, name, count, end="\n"):
        with self.path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{name}{n}{end if n == count - 1 else chr(10)}" for n in range(count)))

    def rotate(self):
        for n in range(9, 0, -1):
            if (old := self.path.with_name(f"log.{n}")).exists():
                old.rename(self.path.with_name(f"log.{n + 1}"))
        self.path.rename(self.path.with_name("log.1"))
        self.path.touch()

    def cut(self):
        shutil.copyfile(self.path, self.path.with_name("log.1"))
        self.path.write_bytes(b"")

    def read(self, most=100):
        return self.desk.call(NEXT, '"log"', f"{{:max {most}}}").get(Keyword("items"))


@pytest.fixture
def log(desk, tmp_path):
    return Log(desk, tmp_path)


@pytest.mark.parametrize("how", ["rotate", "cut"])
@pytest.mark.parametrize("count", [1, 20], ids=["shorter", "longer"])
def test_the_rest_of_a_rotated_file_comes_before_the_new_one(log, how, count):
    getattr(log, how)()
    log.write("b", count)
    assert log.read() == ("a3", "a4", *(f"b{n}" for n in range(count)))
    assert log.read() == ()
    log.write("c", 1)
    assert log.read() == ("c0",)


def test_several_rotations_are_read_in_their_order(log):
    for name in "bcd":
        log.rotate()
        log.write(name, 2)
    assert log.read(4) == ("a3", "a4", "b0", "b1")
    log.rotate()
    log.write("e", 1)
    assert log.read() == ("c0", "c1", "d0", "d1", "e0")


def test_nobody_leaves_a_rotated_file_before_something_is_in_the_next(log):
    log.rotate()
    with log.path.with_name("log.1").open("a") as late:
        assert log.read() == ("a3", "a4")
        late.write("late\nnot yet whole")
        late.flush()
        assert log.read() == ("late",)
        assert log.read() == ()
        late.write(", now")
    log.write("b", 1)
    assert log.read() == ("not yet whole, now", "b0")


def test_a_rotated_file_of_equal_lines_is_known_by_its_number(desk, tmp_path):
    log = Log(desk, tmp_path)
    log.path.write_text("x\n" * 10)
    desk.call("stream.forget", '"log"')
    desk.call("marketplace.stream.start", '{:lines "data/log" :follow true}', '{:name "log"}')
    assert len(log.read(4)) == 4
    log.rotate()
    log.path.write_text("x\n" * 20)
    assert len(log.read()) == 26


@pytest.mark.parametrize("follow", [True, False])
@pytest.mark.parametrize("text", ["b\n", "b0\nb1\nb2\nb3\nb4\nb5\n"], ids=["shorter", "longer"])
def test_a_file_that_was_replaced_is_not_taken_for_what_it_was(desk, tmp_path, follow, text):
    log = Log(desk, tmp_path, follow=follow)
    log.path.unlink()
    log.path.write_text(text)
    with pytest.raises(CapabilityError, match=r"data/log: the file is (shorter|another one).*stream\.forget"):
        log.read()


def test_a_copy_of_a_file_that_is_not_followed_is_the_file(desk, tmp_path):
    log = Log(desk, tmp_path, follow=False)
    shutil.copyfile(log.path, tmp_path / "copy")
    log.path.unlink()
    (tmp_path / "copy").rename(log.path)
    assert log.read() == ("a3", "a4")


def test_places_of_before_go_on(tmp_path):
    path = tmp_path / "f"
    path.write_text("one\ntwo\n")
    descriptor = lambda name: lines.os.open(name, lines.os.O_RDONLY)  # noqa: E731 - of this test
    assert [line for line, _ in lines.lines(descriptor, str(path), 4, follow=True)] == [b"two"]


@pytest.mark.parametrize("begun", ["", "not yet whole"], ids=["empty", "no whole line"])
@pytest.mark.parametrize(
    "source",
    [
        '{:lines "data/log" :follow true}',
        '{:jsonl "data/log" :follow true}',
        '{:merge [{:lines "data/log" :follow true}]}',
        '{:split {:lines "data/log" :follow true} :into 1 :part 0}',
    ],
    ids=["lines", "jsonl", "merged", "split"],
)
def test_a_file_that_was_rotated_before_its_first_line_was_read_is_read(desk, tmp_path, source, begun):
    log = tmp_path / "data" / "log"
    log.write_text(begun and '"not')
    desk.call("marketplace.stream.start", source, '{:name "log"}')
    read = lambda: desk.call(NEXT, '"log"', "{:max 9}").get(Keyword("items"))  # noqa: E731 - of this test
    assert read() == ()
    assert read() == ()
    log.write_text('"a1"\n"a2"\n')
    log.rename(log.with_name("log.1"))
    log.write_text('"b1"\n')
    assert [each.strip('"') for each in read()] == ["a1", "a2", "b1"]
    assert read() == ()


def test_of_a_file_of_which_nothing_was_read_no_other_is_taken_for_a_copy(desk, tmp_path):
    log = tmp_path / "data" / "log"
    log.with_name("log.1").write_text("old\n")
    log.touch()
    desk.call("marketplace.stream.start", '{:lines "data/log" :follow true}', '{:name "log"}')
    assert desk.call(NEXT, '"log"', "{:max 9}").get(Keyword("items")) == ()
    log.rename(log.with_name("away"))
    log.write_text("new\n")
    with pytest.raises(CapabilityError, match="the file is another one than was read"):
        desk.call(NEXT, '"log"', "{:max 9}")
