"""`rtfs cache` where a layer does not work, keeps what no file brings back, or holds nothing that is alive."""

from __future__ import annotations

import json
import sqlite3

import pytest

pytestmark = pytest.mark.needs("rtfs-cache-l2", "rtfs-cache-l4")

MEMO = "(defn ^:memo work [n] (reduce + (range n)))\n(work 10)\n"


@pytest.fixture
def kept(rtfs, folder):
    """Keep one value; return the file in which it lies."""
    (folder / "kept.rtfs").write_text(MEMO, encoding="utf-8")
    assert rtfs("run", "kept.rtfs").code == 0
    return folder / "home" / "cache" / "l2.sqlite"


def spoil(file):
    file.write_bytes(b"no database at all, and not an empty file")


@pytest.mark.parametrize(
    "args",
    [
        ("invalidate", "--symbol", "work"),
        ("invalidate", "--symbol", "work", "--dry-run"),
        ("invalidate", "3fa91c"),
        ("clear", "--yes"),
        ("clear", "--yes", "--json"),
        ("export", "out.jsonl"),
        ("import", "before.jsonl"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_not_said_to_be_done(rtfs, folder, kept, args):
    rtfs("cache", "export", "before.jsonl")
    spoil(kept)
    result = rtfs("cache", *args)
    assert result.code == 1
    told = result.out if "--json" in args else result.err
    assert "E0811" in told
    assert "l2: it does not work now" in told
    assert "forgot " not in result.out
    assert not (folder / "out.jsonl").exists()


def test_what_cannot_be_read_is_not_verified(rtfs, kept):
    spoil(kept)
    result = rtfs("cache", "verify")
    assert (result.code, result.out) == (1, "l2        cannot be read\n")
    row = {"sound": 0, "damaged": 0, "works": False, "unseen": "it cannot be read"}
    assert rtfs("cache", "verify", "--json").data["layers"] == {"l2": row}


@pytest.mark.needs("rtfs-cache-redis")
def test_what_lies_at_a_server_that_is_lost_was_not_looked_at(rtfs, folder):
    (folder / "mine.toml").write_text("[caches.redis-l2]\nurl = 'redis://127.0.0.1:1/0'\n", encoding="utf-8")
    result = rtfs("cache", "verify", "--layer", "redis-l2", "--config", "mine.toml")
    assert (result.code, result.out) == (1, "redis-l2  was not looked at: its server is away\n")
    assert "its server is away" in rtfs("cache", "stats", "--config", "mine.toml").out
    for args in (("invalidate", "--symbol", "work"), ("export", "out.jsonl")):
        result = rtfs("cache", *args, "--layer", "redis-l2", "--config", "mine.toml")
        assert (result.code, result.out) == (1, "")
        assert "redis-l2: it does not work now" in result.err


def test_what_is_past_its_time_is_cleared_too(rtfs, kept):
    (kept.parents[1] / "delegation.toml").write_text("[caches.l2]\nttl = '1ms'\n", encoding="utf-8")
    rtfs("cache", "clear", "--yes")
    rtfs("run", "kept.rtfs")
    assert rtfs("cache", "list", "--json").data["entries"] == []
    assert rtfs("cache", "clear").code == 0
    db = sqlite3.connect(kept)
    assert db.execute("select count(*) from replies").fetchone() == (0,)
    db.close()


def test_nobody_is_asked_before_what_was_not_paid_for_goes(rtfs, kept):
    assert rtfs("cache", "clear", "--layer", "l4").out == "forgot 0 programs, 0 quick entries, 1 in l4\n"
    assert rtfs("cache", "clear").out == "forgot 0 programs, 0 quick entries, 1 in l2\n"


def test_words_of_a_file_are_not_sent_to_a_terminal_as_they_are(rtfs, folder):
    (folder / "odd.jsonl").write_text(json.dumps({"rtfs_cache": 1, "rows": "\x1b[31m"}) + "\n", encoding="utf-8")
    result = rtfs("cache", "import", "odd.jsonl")
    assert result.code == 1
    assert "\x1b" not in result.err


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\xff\xfe", b"[" * 100_000, b'{"rtfs_cache": 1}', b'{"rtfs_cache": 1, "rows": 1}\n{}\n', b"null\n"],
)
def test_what_is_no_export_is_refused(rtfs, folder, data):
    (folder / "odd.jsonl").write_bytes(data)
    result = rtfs("cache", "import", "odd.jsonl")
    assert result.code == 1
    assert "E0905" in result.err
    assert "Traceback" not in result.err


@pytest.fixture
def twice(folder):
    """Keep one reply in l2 and, as the answer to similar requests, once more; return its id."""
    from rtfs_framework.api import CacheInfo, CacheKey, SimilarQuestion
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.registry.load import load_catalog

    config, environ = folder / "home" / "delegation.toml", {"RTFS_HOME": str(folder / "home")}
    config.parent.mkdir(exist_ok=True)
    config.write_text("[delegation]\nembedder = 'wordllama'\n[caches.similar]\n", encoding="utf-8")
    exact, info = CacheKey("reply", "3fa91c"), CacheInfo(symbol="f", reply="RUN:0:1")
    asked = SimilarQuestion(partition=CacheKey("partition", "p"), exact=exact, text="a", vector=(1.0, 0.0))
    catalog = load_catalog(environ)
    with Session.open(catalog=catalog, config_path=config, environ=environ, journal=False) as session:
        layers = session.host.caches.layers
        layers["l2"][1].put(exact, "{}", None, info)
        layers["similar"][1].use("put", lambda layer: layer.put(asked, "{}", None, info))
        assert session.problems == ()
    return exact.digest


@pytest.mark.needs("rtfs-cache-similar", "rtfs-embedder-wordllama")
def test_a_reply_that_two_layers_keep_is_one_and_goes_from_both(rtfs, twice):
    assert len(rtfs("cache", "list", "--reply", "RUN:0:1", "--json").data["entries"]) == 2
    assert rtfs("cache", "show", twice[:4]).code == 0
    assert rtfs("cache", "show", twice, "--layer", "similar", "--json").data["layer"] == "similar"
    assert rtfs("cache", "invalidate", twice).out == "forgot 2 entries\n"
    assert rtfs("cache", "list", "--json").data["entries"] == []


@pytest.mark.needs("rtfs-cache-similar", "rtfs-embedder-wordllama")
def test_answers_to_similar_requests_are_left_out_of_files(rtfs, twice):
    assert rtfs("cache", "export", "a.jsonl").out == "exported 1 to a.jsonl; 1 that no file brings back were left out\n"
    rtfs("cache", "clear", "--yes")
    assert rtfs("cache", "import", "a.jsonl", "--json").data["imported"] == 1
    assert [each["layer"] for each in rtfs("cache", "list", "--json").data["entries"]] == ["l2"]
