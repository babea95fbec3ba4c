"""Attempts to leave what is granted: each is refused, and nothing outside is read, changed, made or told of."""

from __future__ import annotations

import itertools
import os
import socket
import threading
from pathlib import Path

import pytest

from rtfs_capability_files import beneath
from rtfs_capability_files.plugin import FilesGrant, rtfs_capabilities
from rtfs_framework.api import CapabilityError, CapabilityGrant, CapabilityRequest, Keyword, Map

pytestmark = pytest.mark.skipif(not beneath.POSSIBLE, reason="here files cannot be opened from an open folder")

OFFERED = {entry.id: entry for entry in rtfs_capabilities()}
SECRET = "SECRET-7f3a"
WITH_TEXT = ("fs.write", "fs.append")
PIECES = ("data.csv", "data.jsonl", "data.json", "data.parquet")
FILES = ("fs.read", "fs.write", "fs.append", "fs.delete", "fs.stat", "fs.exists", "fs.list", *PIECES)


@pytest.fixture
def place(tmp_path):
    """Return the folder of a configuration with `data` to grant, and `outside` beside it that holds a secret."""
    base = tmp_path / "base"
    for folder in ("data/sub", "data2", "outside/deep"):
        (base / folder).mkdir(parents=True)
    (base / "data/a.txt").write_text("inside", encoding="utf-8")
    (base / "data/sub/b.txt").write_text("inside", encoding="utf-8")
    for name in ("outside/secret.txt", "outside/deep/secret.txt", "data2/secret.txt", "secret.txt"):
        (base / name).write_text(SECRET, encoding="utf-8")
    for link, target in LINKS.items():
        (base / link).symlink_to(target.replace("BASE", str(base)))
    os.link(base / "outside/secret.txt", base / "data/hard.txt")
    os.mkfifo(base / "data/pipe")
    with socket.socket(socket.AF_UNIX) as made:
        here = os.open(base / "data", os.O_RDONLY)  # the path of a socket is short
        made.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
    return base


LINKS = {
    "data/up.txt": "../outside/secret.txt",
    "data/absolute.txt": "BASE/outside/secret.txt",
    "data/inside-absolute.txt": "BASE/data/a.txt",
    "data/folder": "../outside",
    "data/folder-absolute": "BASE/outside",
    "data/chain1": "chain2",
    "data/chain2": "sub/chain3",
    "data/sub/chain3": "../../outside/secret.txt",
    "data/loop1": "loop2",
    "data/loop2": "loop1",
    "data/self": "self/self",
    "data/root": "/",
    "data/dots": "sub/../../secret.txt",
    "data/around": "../data/a.txt",
    "data/here": ".",
    "data/parent": "..",
    "data/sub/far": "../../../../../../../../../../etc/passwd",
    "data/dangling-out": "../outside/new.txt",
    "data/proc": "/proc/self/cwd",
    "data/null": "/dev/null",
    "data/stdin": "/dev/stdin",
    "data/slashes": "..//outside///secret.txt",
    "data/fd": "/proc/self/fd/0",
}


def _call(base, id_, path, roots=("./data",), **more):
    grants = (CapabilityGrant(FilesGrant(roots=roots, **more), str(base)),)
    text = ("changed",) if id_ in WITH_TEXT else ()
    return OFFERED[id_].handler(CapabilityRequest(id_, (path, *text), grants=grants))


def _reply(base, id_, path):
    """Return what a call gives, or the kind of its error."""
    try:
        return _call(base, id_, path)
    except CapabilityError as error:
        return error.kind


def _outside(base):
    """Return all that lies outside of the root, with contents, sizes and links."""
    found = {}
    for folder, _, names in os.walk(base):
        if (base / "data") in ((base / folder), *(base / folder).parents):
            continue
        found |= {f"{folder}/{name}": (base / folder / name).read_bytes() for name in names}
    return found


def _refused(base, id_, path, kinds=("SecurityViolation", "IoError"), **more):
    """Make a call and see that it is refused, that nothing outside has changed, and nothing of it is told."""
    before = _outside(base)
    with pytest.raises(CapabilityError) as caught:
        _call(base, id_, path, **more)
    assert caught.value.kind in kinds, caught.value
    assert SECRET not in str(caught.value)
    assert str(base) not in str(caught.value).replace(path[:200], "")
    assert _outside(base) == before


WAYS = {
    "up": "data/../outside/secret.txt",
    "up-first": "../outside/secret.txt",
    "up-twice": "data/sub/../../outside/secret.txt",
    "up-and-back": "data/../data/../outside/secret.txt",
    "up-only": "data/..",
    "up-in-disguise": "data/./.././outside/secret.txt",
    "up-far": "../../../../../../../../../../../../etc/passwd",
    "up-at-root": "/../etc/passwd",
    "sibling-of-same-prefix": "data2/secret.txt",
    "beside": "secret.txt",
    "absolute": "/etc/passwd",
    "absolute-doubled": "//etc/passwd",
    "absolute-after": "data//etc/passwd",
    "home": "~/.ssh/id_rsa",
    "home-in-root": "data/~/.ssh/id_rsa",
    "variable": "$HOME/.bashrc",
    "variable-in-root": "data/${HOME}/secret.txt",
    "file-uri": "file:///etc/passwd",
    "file-uri-in-root": "data/file:///etc/passwd",
    "percent": "data/%2e%2e/outside/secret.txt",
    "percent-slash": "data/..%2foutside%2fsecret.txt",
    "percent-twice": "data/%252e%252e/outside/secret.txt",
    "overlong-utf8-look": "data/\xc0\xae\xc0\xae/outside/secret.txt",
    "one-dot-leader": "data/\u2024\u2024/outside/secret.txt",
    "two-dot-leader": "data/\u2025/outside/secret.txt",
    "full-width-dots": "data/\uff0e\uff0e/outside/secret.txt",
    "division-slash": "data/..\u2215outside\u2215secret.txt",
    "full-width-slash": "data/..\uff0foutside\uff0fsecret.txt",
    "zero-width": "data/.\u200b./outside/secret.txt",
    "nul": "data/a.txt\0/../../outside/secret.txt",
    "nul-at-end": "data/../outside/secret.txt\0.txt",
    "newline": "data/a.txt\n../outside/secret.txt",
    "surrogate": "data/\udc2e\udc2e/outside/secret.txt",
    "backslashes": "data\\..\\outside\\secret.txt",
    "backslashes-mixed": "data/..\\outside/secret.txt",
    "drive": "C:/Windows/win.ini",
    "drive-backslash": "C:\\Windows\\win.ini",
    "unc": "\\\\server\\share\\secret.txt",
    "device-namespace": "//?/C:/secret.txt",
    "dots-and-space": "data/.. /outside/secret.txt",
    "three-dots": "data/.../outside/secret.txt",
    "long-name": "data/" + "x" * 300,
    "long-path": "data/" + "sub/" * 2000 + "b.txt",
    "deep": "data/" + "x/" * 200 + "a.txt",
    "empty": "",
    "only-slashes": "///",
    "file-as-folder": "data/a.txt/../../outside/secret.txt",
    "file-then-slash": "data/a.txt/b",
    "proc-environ": "/proc/self/environ",
    "proc-root": "/proc/self/root/etc/passwd",
    "device": "/dev/zero",
}


LITERAL = {"percent-slash", "division-slash", "full-width-slash"}
"""Names that only look like paths: a file in the root may be called so."""


@pytest.mark.parametrize("way", WAYS)
def test_no_path_leads_out(place, way):
    """No way of writing a path reads what is outside, or makes anything there."""
    _refused(place, "fs.read", WAYS[way])
    if way not in LITERAL:
        _refused(place, "fs.write", WAYS[way])
        return
    before = _outside(place)
    _call(place, "fs.write", WAYS[way])
    assert _outside(place) == before
    assert (place / WAYS[way]).is_file()


def test_no_combination_of_names_and_links_leads_out(place):
    """Every path of up to four names out of these: whatever is read lies inside, and is what the system finds there."""
    names = ("..", "sub", "here", "parent", "a.txt", "b.txt", "secret.txt")
    (place / "data/sub/inner").symlink_to("../sub/./b.txt")
    read = 0
    for count in range(1, 5):
        for way in itertools.product((*names, "sub/inner"), repeat=count):
            path = "/".join(("data", *way))
            reply = _reply(place, "fs.read", path)
            assert reply in ("inside", "SecurityViolation", "IoError"), path
            if reply == "inside":
                found = (place / path).resolve()
                assert found.is_relative_to(place / "data"), path
                read += 1
    assert read == 11


@pytest.mark.parametrize("link", sorted(set(LINKS) - {"data/here"}))
def test_no_link_leads_out(place, link):
    """Links that leave the root are refused, whether what they name is there or not; so are loops."""
    _refused(place, "fs.read", link)
    _refused(place, "fs.append", link)


@pytest.mark.parametrize("id_", FILES)
def test_no_folder_on_the_way_leads_out(place, id_):
    """A folder that is a link out of the root is not walked, by any of the capabilities."""
    _refused(place, id_, "data/folder/secret.txt")
    _refused(place, id_, "data/here/here/folder-absolute/secret.txt")
    _refused(place, id_, "data/parent/outside/secret.txt")


@pytest.mark.parametrize("id_", FILES)
def test_links_at_the_end_do_not_lead_out(place, id_):
    """Nor is a link at the end of a path followed out: nothing is replaced, added to or removed where it leads."""
    for link in ("data/up.txt", "data/chain1", "data/dangling-out"):
        _refused(place, id_, link)


@pytest.mark.parametrize("name", ["pipe", "socket", "sub", "here"])
@pytest.mark.parametrize("id_", ["fs.read", "fs.write", "fs.append", "fs.delete", "data.csv"])
def test_what_is_no_file_is_not_opened(place, id_, name):
    """A pipe would wait for ever, a socket or device does something: they are refused at once, as folders are."""
    _refused(place, id_, f"data/{name}", kinds=("IoError",))


@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/self/mem", "/dev/null", "/proc/self/root/etc/hostname"])
@pytest.mark.parametrize("id_", ["fs.read", "fs.append", "fs.write", "fs.delete"])
def test_a_root_of_everything_holds_no_process_and_no_device(place, id_, path):
    """Who grants `/` grants the files of its disks; the host's own variables and memory are none."""
    _refused(place, id_, path, roots=("/",))


@pytest.mark.parametrize("path", ["/proc/self", "/proc", "/sys", "/dev", "/dev/shm", "/dev/pts", "/sys/fs/cgroup"])
def test_the_folders_of_processes_are_not_listed(place, path):
    """Nor are they listed under a root that holds everything, nor what is mounted below them."""
    _refused(place, "fs.list", path, roots=("/",))


def test_what_is_mounted_below_is_the_systems_unless_it_is_of_a_disk(monkeypatch):
    """A container may have a file of its host's disk in /dev: that does not close the disk."""
    mounts = [("/dev/shm", 901), ("/sys/fs/cgroup/cpu", 902), ("/dev/log", 903), ("/data", 903), ("/devices", 904)]
    monkeypatch.setattr(beneath, "_mounts", lambda: iter(mounts))
    found = beneath._kernel_devices.__wrapped__()
    assert found & {901, 902, 903, 904} == {901, 902}
    assert Path("/").stat().st_dev not in found


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="this system does not list its mounts so")
def test_mounts_are_read_with_their_devices():
    """As `stat` says them."""
    assert ("/proc", Path("/proc").stat().st_dev) in set(beneath._mounts())


def test_another_name_of_a_file_outside_keeps_what_it_had(place):
    """A hard link cannot be told from a file: it is read, but neither added to nor changed in place."""
    assert _call(place, "fs.read", "data/hard.txt") == SECRET  # the documents say so
    _refused(place, "fs.append", "data/hard.txt", kinds=("SecurityViolation",))
    assert _call(place, "fs.write", "data/hard.txt") == len("changed")
    assert (place / "outside/secret.txt").read_text(encoding="utf-8") == SECRET
    assert _call(place, "fs.delete", "data/hard.txt") is True
    assert (place / "outside/secret.txt").read_text(encoding="utf-8") == SECRET


@pytest.mark.parametrize("path", ["data/delegation.toml", "data/sub/Delegation.TOML", "data/rules"])
@pytest.mark.parametrize("id_", ["fs.write", "fs.append", "fs.delete"])
def test_no_program_changes_the_rules_it_runs_under(place, id_, path):
    """Who may write where the configuration lies does not grant itself more for the next time."""
    rules = place / "data/delegation.toml"
    rules.write_text("[security]", encoding="utf-8")
    (place / "data/rules").symlink_to("delegation.toml")
    _refused(place, id_, path, kinds=("SecurityViolation",))
    assert rules.read_text(encoding="utf-8") == "[security]"


@pytest.mark.parametrize("globs", [("*.csv",), ("sub/*",)])
def test_a_glob_is_of_what_a_link_leads_to(place, globs):
    """A name that fits does not open a file whose own name does not."""
    (place / "data/key.pem").write_text(SECRET, encoding="utf-8")
    (place / "data/ok.csv").symlink_to("key.pem")
    (place / "data/sub/ok").symlink_to("../key.pem")
    for path in ("data/ok.csv", "data/sub/ok", "data/key.pem"):
        for id_ in ("fs.read", "fs.write", "fs.delete", "fs.stat"):
            _refused(place, id_, path, kinds=("SecurityViolation",), globs=globs)
    assert (place / "data/key.pem").read_text(encoding="utf-8") == SECRET


def _told(place, id_, path):
    try:
        return str(_call(place, id_, path, globs=("*.csv",)))
    except CapabilityError as error:
        return f"{error.kind}: {error}"


@pytest.mark.parametrize("id_", FILES)
@pytest.mark.parametrize("ending", ["", "/x.csv", "/", "/x/y.csv"])
def test_whether_there_is_a_file_outside_of_the_globs_is_not_told(place, id_, ending):
    """Nothing, a file, and a path that takes either for a folder are refused in the same words."""
    (place / "data/key.pem").write_text(SECRET, encoding="utf-8")
    replies = set()
    for name in ("key.pem", "kez.pem"):
        replies.add(_told(place, id_, f"data/{name}{ending}").replace(name, "NAME"))
    assert len(replies) == 1, replies


@pytest.mark.parametrize("id_", ["fs.read", "fs.write", "fs.append", "fs.delete"])
@pytest.mark.parametrize("what", ["folder", "file"])
@pytest.mark.parametrize("moment", range(1, 7))
def test_a_link_put_there_meanwhile_is_not_followed(place, id_, what, moment, monkeypatch):
    """Whatever is swapped for a link out of the root between two steps of a call: nothing outside is reached."""
    (place / "data/sub/secret.txt").write_text("inside", encoding="utf-8")
    before, steps = _outside(place), []

    def swap():
        target = place / "data/sub" if what == "folder" else place / "data/sub/b.txt"
        target.rename(place / "data/old")
        target.symlink_to(place / "outside/deep" if what == "folder" else place / "outside/secret.txt")

    def stepping(real):
        def step(*args, **more):
            steps.append(real)
            if len(steps) == moment:
                swap()
            return real(*args, **more)

        return step

    for name in ("readlink", "open", "stat", "unlink", "replace"):
        monkeypatch.setattr(beneath.os, name, stepping(getattr(os, name)))
    path = "data/sub/b.txt" if what == "file" else "data/sub/secret.txt"
    reply = _reply(place, id_, path)
    monkeypatch.undo()
    assert len(steps) >= moment
    assert SECRET not in str(reply)
    assert {name: data for name, data in _outside(place).items() if name in before} == before
    assert set(_outside(place)) == set(before)


def test_a_thread_that_swaps_links_gains_nothing(place):
    """Two names change between a folder and a link out of the root, as often as calls are made: none gets out."""
    before, over = _outside(place), threading.Event()
    (place / "data/link").symlink_to(place / "outside/deep")
    (place / "data/sub/secret.txt").write_text("inside", encoding="utf-8")

    def swap():
        while not over.is_set():
            for one, other in (("sub", "spare"), ("link", "sub"), ("sub", "link"), ("spare", "sub")):
                (place / "data" / one).rename(place / "data" / other)

    swapper = threading.Thread(target=swap)
    swapper.start()
    replies = set()
    try:
        for turn in range(400):
            for id_ in ("fs.read", "fs.write" if turn % 2 else "fs.delete"):
                replies.add(_reply(place, id_, "data/sub/secret.txt"))
    finally:
        over.set()
        swapper.join()
    assert SECRET not in replies
    assert replies <= {"inside", "changed", 7, True, False, "SecurityViolation", "IoError"}
    assert _outside(place) == before


@pytest.mark.parametrize(
    "token",
    [1, "x", Map.wrap({}), {"file": "0-0"}, {"at": -1}, {"at": 1 << 70}, {"at": "0"}, {"line": None}, {"names": "ab"},
     {"names": (1,)}, {"delimiter": "ab"}],
    ids=repr,
)  # fmt: skip
def test_tokens_that_a_program_made_up_open_nothing(place, token):
    """A token says where to go on in the file that the call names, and is looked at like any other argument."""
    (place / "data/rows.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")

    def ask(following):
        options = {"path": "data/rows.csv", "rows": 1, "next": following}
        return _call(place, "data.csv", Map.wrap({Keyword(name): value for name, value in options.items()}))

    if isinstance(token, dict):
        good = ask(None).get(Keyword("next"))
        token = Map.wrap({**dict(good.items()), **{Keyword(name): value for name, value in token.items()}})
    with pytest.raises(CapabilityError) as caught:
        ask(token)
    assert caught.value.kind == "InvalidArgument"
