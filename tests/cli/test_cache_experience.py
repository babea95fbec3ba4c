"""`rtfs cache` and `rtfs learn` on what a layer of level L3 has learned: it is seen, and forgotten for good."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs("rtfs-cache-l3", "rtfs-provider-echo", "rtfs-cache-l2")

CONFIG = """
[delegation.static_routes]
"mail/*" = ["local-echo"]
[delegation.local_models.echo]
provider = "echo"
[caches.l3]
[caches.l2]
enabled = false
"""
PROGRAM = '(defn mail/sort "Sorts a mail." [mail] :own)\n(defn mail/file "Files a mail." [mail] :own)\n'


@pytest.fixture
def kept(rtfs, folder):
    """Learn of two functions."""
    (folder / "delegation.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "mail.rtfs").write_text(f"{PROGRAM}[(mail/sort 1) (mail/file 2)]", encoding="utf-8")
    assert rtfs("run", "--trust", "mail.rtfs").code == 0


def listed(rtfs):
    found = rtfs("cache", "list", "--trust", "--layer", "l3", "--json").data["entries"]
    return {each["symbol"]: each for each in found}


def test_what_was_learned_is_listed_and_counted(rtfs, kept):
    found = listed(rtfs)
    assert set(found) == {"mail/sort", "mail/file"}
    shown = rtfs("cache", "show", "--trust", found["mail/sort"]["id"][:12])
    assert "mail sort. Sorts a mail." in shown.out
    assert rtfs("cache", "stats", "--trust", "--json").data["layers"]["l3"]["size"] == 2
    (learnt,) = rtfs("learn", "list", "--trust", "--json").data["learned"]
    assert (learnt["engine"], learnt["cells"]) == ("host.experience", 2)
    assert rtfs("learn", "show", "--trust", "host.experience", "--verify").code == 0


def test_one_entry_is_forgotten_for_good(rtfs, kept):
    forgotten = rtfs("cache", "invalidate", "--trust", "--layer", "l3", "--symbol", "mail/sort", "--dry-run")
    assert (forgotten.code, set(listed(rtfs))) == (0, {"mail/sort", "mail/file"})
    assert rtfs("cache", "invalidate", "--trust", listed(rtfs)["mail/sort"]["id"]).code == 0
    assert set(listed(rtfs)) == {"mail/file"}
    assert rtfs("learn", "show", "--trust", "host.experience", "--verify").code == 0


def test_all_is_forgotten_for_good_without_a_question(rtfs, kept):
    assert rtfs("cache", "clear", "--trust", "--layer", "l3").code == 0
    assert listed(rtfs) == {}
    assert rtfs("run", "--trust", "mail.rtfs").code == 0
    assert len(listed(rtfs)) == 2
