"""`rtfs keys`, `publish`, `fetch` and `stores`: from a key to a program that runs elsewhere, and every refusal."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

pytest.importorskip("cryptography", reason="the extra `sign`")

from rtfs_framework.cli.commands import cache, fetch, keys, publish, run, stores
from rtfs_framework.lang.errors import RtfsError

pytestmark = pytest.mark.needs("rtfs-store-directory")

CONFIG = '[stores.team]\nplugin = "directory"\npath = "programs"\n'
SCORE = '(defn score "Score it." [x : int] : int (+ 1000 x)) (defn bad [x] (call :db x))'


@pytest.fixture
def rtfs(tmp_path, monkeypatch):
    """Runs a command in a folder with a configuration, a program and a home of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    (tmp_path / "c.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "score.rtfs").write_text(SCORE, encoding="utf-8")
    commands = {each.__name__.rpartition(".")[2]: each.command for each in (cache, fetch, keys, publish, run, stores)}

    def invoke(word, *args):
        made = CliRunner().invoke(commands[word], [*args, "--json", "--config", "c.toml"], standalone_mode=False)
        if made.exception is not None and not (made.stdout and isinstance(made.exception, SystemExit)):
            raise made.exception
        return json.loads(made.stdout)

    return invoke


SEND = ("publish", "score.rtfs", "--function", "score", "--store", "team", "--key", "release")


def test_from_a_key_to_a_program_that_is_kept(rtfs):
    key = rtfs("keys", "new", "release")
    assert key["trusted"]
    assert "PRIVATE" not in json.dumps(key)
    sent = rtfs(*SEND)
    assert (sent["sent"], rtfs(*SEND)["sent"]) == (True, False)
    assert sent["target"] == f"l4-{sent['artifact']}@{key['id']}"
    assert [each["artifact"] for each in rtfs("fetch", "--list")["programs"]] == [sent["artifact"]]
    for name in ("score", sent["artifact"][:12]):
        assert [each["name"] for each in rtfs("fetch", name)["programs"]] == ["score"]
    assert rtfs("stores", "verify", "team") == {"store": "team", "good": 1, "wrong": []}
    assert rtfs("stores", "gc", "team", "--dry-run")["kept"] == 1
    assert rtfs("stores", "list")["stores"] == [{"name": "team", "plugin": "directory", "read": True}]
    rtfs("keys", "revoke", "release", "--reason", "lost")
    with pytest.raises(RtfsError, match="no program that is trusted"):
        rtfs("fetch", "score")
    assert rtfs("keys", "list")["keys"][0]["reason"] == "lost"


def test_the_line_of_a_key_is_trusted_from_a_file_or_as_it_is(rtfs, tmp_path):
    line = rtfs("keys", "new", "release")["public"]
    (tmp_path / "release.pub").write_text(line, encoding="utf-8")
    assert rtfs("keys", "trust", "release.pub", "--name", "acme")["name"] == "acme"
    assert rtfs("keys", "trust", line)["name"] == "release"


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("publish", "score.rtfs", "--function", "bad", "--store", "team", "--key", "release"), "E0770"),
        (("publish", "score.rtfs", "--function", "none", "--store", "team", "--key", "release"), "E0770"),
        (("publish", "score.rtfs", "--function", "score", "--store", "other", "--key", "release"), "E0769"),
        (("publish", "score.rtfs", "--function", "score", "--store", "team", "--key", "nobody"), "E0765"),
        (("fetch", "nothing"), "E0771"),
        (("stores", "verify", "other"), "E0769"),
        (("keys", "trust", "rtfs-key-1 AAAA"), "E0766"),
        (("keys", "revoke", "nobody"), "E0763"),
    ],
)
def test_refusals_have_a_code_and_a_way_out(rtfs, args, code):
    rtfs("keys", "new", "release")
    with pytest.raises(RtfsError) as error:
        rtfs(*args)
    assert getattr(error.value, "code", "") == code or f"error[{code}]" in str(error.value)
    assert "help: " in str(error.value)


def test_what_nobody_could_read_is_not_published(rtfs, tmp_path):
    rtfs("keys", "new", "release")
    (tmp_path / "long.rtfs").write_text(f'(defn f "{"d" * 66_000}" [x] x)', encoding="utf-8")
    with pytest.raises(RtfsError, match="interface in words") as error:
        rtfs("publish", "long.rtfs", "--function", "f", "--store", "team", "--key", "release")
    assert "shorten the documentation" in str(error.value)
    assert rtfs("fetch", "--list") == {"programs": [], "refused": []}


def published(rtfs):
    """Return what `rtfs cache verify` says of each place: how many are good, and what is wrong with the others."""
    rows = rtfs("cache", "verify")["published"]
    return {name: (row["good"], [each["kind"] for each in row["wrong"]], row["unseen"]) for name, row in rows.items()}


def test_what_was_fetched_and_what_stores_have_is_verified_with_the_caches(rtfs, tmp_path):
    rtfs("keys", "new", "release")
    sent = rtfs(*SEND)
    assert published(rtfs) == {"store team": (1, [], "")}
    rtfs("fetch", "score")
    assert published(rtfs) == {"fetched": (1, [], ""), "store team": (1, [], "")}
    (here,) = (tmp_path / "home").rglob(f"blobs/{sent['artifact']}")
    here.write_bytes(here.read_bytes()[:-1] + b"!")
    assert published(rtfs) == {"fetched": (0, ["changed"], ""), "store team": (1, [], "")}
    here.unlink()
    assert published(rtfs)["fetched"] == (0, ["missing"], "")
    (record,) = (tmp_path / "home").rglob("*.pointer")
    record.write_bytes(record.read_bytes()[:-1] + b"!")
    assert published(rtfs)["fetched"] == (0, ["changed"], "")
    (tmp_path / "programs").rename(tmp_path / "away")
    (tmp_path / "c.toml").write_text(f"{CONFIG}read_only = true\n", encoding="utf-8")
    good, wrong, unseen = published(rtfs)["store team"]
    assert (good, wrong) == (0, [])
    assert "there is no folder" in unseen


def test_a_whole_program_that_was_fetched_is_run_by_its_digest(rtfs, tmp_path):
    rtfs("keys", "new", "release")
    (tmp_path / "hello.rtfs").write_text('(defn main [name] (str "Hi " name))', encoding="utf-8")
    sent = rtfs("publish", "hello.rtfs", "--store", "team", "--key", "release")
    target = f"l4-{sent['artifact'][:12]}"
    with pytest.raises(RtfsError, match="no whole program that is trusted here"):
        rtfs("run", target, "you")
    rtfs("fetch", target)
    assert rtfs("run", target, "you")["value"] == "Hi you"
    assert rtfs("run", f"l4-{sent['artifact']}@{sent['key']}", "you")["value"] == "Hi you"
    with pytest.raises(RtfsError, match="no whole program that is trusted here"):
        rtfs("run", f"{target}@{'0' * 40}", "you")
    with pytest.raises(click.UsageError, match="asks nobody"):
        rtfs("run", target, "--input", "x.csv")
    (blob,) = (tmp_path / "home").rglob(f"blobs/{sent['artifact']}")
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    with pytest.raises(RtfsError, match="its program was changed"):
        rtfs("run", target, "you")


def test_what_was_fetched_says_how_it_is_run(rtfs, tmp_path):
    rtfs("keys", "new", "release")
    rtfs(*SEND)
    (tmp_path / "whole.rtfs").write_text("(defn main [] 7)", encoding="utf-8")
    sent = rtfs("publish", "whole.rtfs", "--store", "team", "--key", "release")
    for name, way in (("score", 'score = ["l4"]'), (sent["artifact"][:12], f"rtfs run l4-{sent['artifact'][:12]}")):
        assert way in CliRunner().invoke(fetch.command, [name, "--config", "c.toml"], standalone_mode=False).stdout
