"""What counts: a byte changed anywhere is found, names and domains are bound, and stores are swept by reachability."""

from __future__ import annotations

import random
from hashlib import sha256

import attrs
import pytest

from rtfs_framework.lang.published.rows import PublishedError
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.orchestrator.remembering.published.pointers import MOST_POINTER, PointerError, opened, signed
from rtfs_framework.orchestrator.remembering.published.stores import (
    blob_of,
    checked,
    offered,
    send,
    sweep,
    verify,
)
from rtfs_framework.orchestrator.remembering.published.trouble import PublishingError
from rtfs_framework.testing.effort import effort


def changed(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]


def found_of(world, pointer, record, blob, keys, times):
    """How many of so many changed bytes are found: in the record (signature and statement), its name, the program."""
    chance, found = random.Random(7), 0
    for turn in range(times):
        try:
            if turn % 4 == 1:
                opened(record, changed(pointer.place.encode(), chance).decode("latin-1"), keys, "")
            elif turn % 4:
                opened(changed(record, chance), pointer.place, keys, "")
            else:
                world.store.kept_blobs[pointer.artifact] = changed(blob, chance)
                blob_of(world.store, pointer)
        except PublishedError:  # noqa: PERF203 - what is counted
            found += 1
    return found


def test_every_changed_byte_is_found(world):
    pointer, record, blob = world.sent()
    times = effort(2_000)
    assert found_of(world, pointer, record, blob, world.ring.listed(), times) == times


@pytest.mark.slow
def test_a_hundred_thousand_changed_bytes_are_found(world):
    pointer, record, blob = world.sent()
    assert found_of(world, pointer, record, blob, world.ring.listed(), 100_000) == 100_000


def test_every_byte_of_the_index_is_bound(world):
    """The index is names and records: a record under any other name is refused."""
    pointer, record, _ = world.made()
    keys, chance = world.ring.listed(), random.Random(3)
    assert opened(record, pointer.place, keys, "") == pointer
    for _ in range(effort(200)):
        place = changed(pointer.place.encode(), chance).decode("latin-1")
        with pytest.raises(PointerError) as error:
            opened(record, place, keys, "")
        assert error.value.kind == "misplaced"


def test_kinds_of_refusals(world):
    pointer, record, _ = world.made()
    keys = world.ring.listed()
    revoked = {id_: attrs.evolve(key, revoked=1.0) for id_, key in keys.items()}
    tried = {
        "untrusted": (record, {}),
        "revoked": (record, revoked),
        "changed": (record[:-1], keys),
        "unsigned": (b"", keys),
    }
    for kind, (data, known) in tried.items():
        with pytest.raises(PointerError) as error:
            opened(data, pointer.place, known, "")
        assert error.value.kind == kind


def test_domains_do_not_see_each_other(world):
    pointer, record, _ = world.sent(salt="acme")
    keys = world.ring.listed()
    assert [found.name for found, _ in offered(world.store, "acme", keys)] == ["score"]
    assert list(offered(world.store, "", keys)) == []
    assert list(offered(world.store, "other", keys)) == []
    assert "acme" not in pointer.place
    with pytest.raises(PointerError):
        opened(record, pointer.place, keys, "")


def test_equal_programs_are_sent_once_and_signed_often(world):
    world.ring.new("second", {}.get, 2.0)
    one = world.made()
    assert send(world.store, *one) is True
    assert send(world.store, *world.made(key="second")) is False
    assert len(world.store.kept_blobs) == 1
    assert len(world.store.kept_names) == 2
    assert verify(world.store, "", world.ring.listed()) == (2, [])


def test_a_store_is_looked_through(world):
    pointer, _, blob = world.sent()
    world.sent("(defn other [x] x)", "other")
    world.store.kept_blobs[pointer.artifact] = blob[:-1] + b" "
    good, wrong = verify(world.store, "", world.ring.listed())
    assert (good, [each.kind for each in wrong]) == (1, ["changed"])
    world.store.kept_blobs.clear()
    assert [each.kind for each in verify(world.store, "", world.ring.listed())[1]] == ["missing", "missing"]


def test_a_record_whose_program_has_another_interface_is_refused(world):
    pointer, record, _ = world.made()
    other = world.made("(defn score [x] x)")
    forged = attrs.evolve(pointer, artifact=other[0].artifact, size=other[0].size)
    world.store.put(forged.artifact, other[2])
    assert record
    with pytest.raises(PublishedError, match="interface is another"):
        checked(world.store, forged)


def test_what_nothing_points_to_is_taken_out(world):
    pointer, _, _ = world.sent()
    loose = world.made("(defn g [x] x)", "g")
    world.store.put(loose[0].artifact, loose[2])
    dry = sweep(world.store, world.ring.listed(), dry=True)
    assert dry.blobs == (loose[0].artifact,)
    assert len(world.store.kept_blobs) == 2
    assert sweep(world.store, world.ring.listed()).kept == 1
    assert list(world.store.kept_blobs) == [pointer.artifact]
    world.ring.revoke("me", 1.0)
    swept = sweep(world.store, world.ring.listed(), revoked=True)
    assert (swept.pointers, swept.blobs) == ((pointer.place,), (pointer.artifact,))
    assert not world.store.kept_blobs


def test_records_that_say_nothing_keep_what_their_names_say(world):
    pointer, _, _ = world.sent()
    world.store.kept_names[pointer.place] = b"rubbish"
    assert sweep(world.store, world.ring.listed()).blobs == ()


def test_one_record_that_is_too_large_spoils_no_others(world):
    good, *_ = world.sent()
    other, _, _ = world.sent("(defn g [x] x)", "g")
    world.store.kept_names[other.place] = b"x" * (MOST_POINTER + 1)
    refused = []
    assert [pointer for pointer, _ in offered(world.store, "", world.ring.listed(), refused)] == [good]
    assert [(each.name, each.kind) for each in refused] == [(other.place, "broken")]
    assert verify(world.store, "", world.ring.listed())[0] == 1
    assert sweep(world.store, world.ring.listed()).blobs == ()
    world.store.kept_blobs[good.artifact] += b" "
    assert {each.name for each in verify(world.store, "", world.ring.listed())[1]} == {good.place, other.place}


def test_a_constant_that_nests_deeply_is_loaded_though_it_is_not_kept_compiled(world, tmp_path):
    made, _, blob = world.kept("(defn f [x] 7)", "f")
    deep = "7"
    for _ in range(900):
        deep = f'["v",{deep}]'
    changed = blob.replace(b'["const",7]', f'["const",{deep}]'.encode())
    pointer = attrs.evolve(made, artifact=sha256(changed).hexdigest(), size=len(changed))
    world.shelf.put(*signed(pointer, world.ring.signer("me", {}.get)), changed)
    world.shelf.seal = lambda: Keyring(lambda: str(tmp_path / "cache")).seal("published programs")
    assert world.shelf.load(pointer).digest == pointer.artifact


@pytest.mark.parametrize(
    ("text", "name"), [(f'(defn f "{"d" * 66_000}" [x] x)', "f"), (f"(defn {'f' * 600} [x] x)", "f" * 600)]
)
def test_what_nobody_could_read_is_not_signed(world, text, name):
    with pytest.raises(PublishedError, match=r"interface in words|a name"):
        world.sent(text, name)
    assert not world.store.kept_names


def test_a_store_that_only_reads_takes_nothing(world):
    made = world.made()
    world.store.read_only = True
    with pytest.raises(PublishingError) as error:
        send(world.store, *made)
    assert error.value.code == "E0769"
    with pytest.raises(PublishingError):
        sweep(world.store, {})
