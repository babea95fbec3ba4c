"""The target `l4`: a trusted program runs in place of the body, under the run's limits; anything else is an attempt."""

from __future__ import annotations

import shutil

import pytest

from rtfs_framework import Session
from rtfs_framework.api.targets import L4CacheHit, show_target
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.orchestrator.config.routes import Unknown, parse_target, target_text
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import history_of
from rtfs_framework.orchestrator.recording.journal.recorded import target_of
from rtfs_framework.orchestrator.remembering.published.keys import KeyRing
from rtfs_framework.orchestrator.remembering.published.shelf import Shelf

USE = '(defn score "Score it." [x : int] : int (* 2 x)) (map score [1 2])'


@pytest.fixture
def session(world, tmp_path):
    """Opens a session whose function `score` is routed to published programs."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    world.ring.folder.rename(home / "keys")
    world.ring = KeyRing(home / "keys")
    world.shelf = Shelf(home / "published", world.ring)
    config = tmp_path / "c.toml"
    config.write_text('[delegation.static_routes]\nscore = ["l4", "local-pure"]\n', encoding="utf-8")
    config.chmod(0o600)
    opened = []

    def make(**more):
        opened.append(Session.open(config_path=config, environ={"RTFS_HOME": str(home)}, **more))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def test_a_trusted_program_runs_in_place_of_the_body(world, session):
    pointer, _, _ = world.kept()
    run = session().run(USE)
    assert run.value == (1001, 1002)
    plan = run.calls[0].decision.plan
    assert plan.target == L4CacheHit()
    assert ("published", f"l4-{pointer.artifact}@{pointer.key}") in plan.context
    assert pointer.artifact[:12] in plan.reasoning


def test_without_one_the_next_target_answers_and_the_attempt_says_why(world, session):
    host = session()
    assert host.run(USE).value == (2, 4)
    world.kept()
    assert host.run(USE).value == (1001, 1002)
    world.ring.revoke("me", 9.0)
    run = host.run(USE)
    assert run.value == (2, 4)
    (attempt,) = run.calls[0].attempts
    assert attempt.attempt.guard == "published"
    assert "revoked" in attempt.attempt.reason


def test_files_that_were_changed_do_not_run(world, session):
    pointer, _, _ = world.kept()
    blob = world.shelf.folder / "blobs" / pointer.artifact
    blob.write_bytes(blob.read_bytes().replace(b"1000", b"2000"))
    run = session().run(USE)
    assert run.value == (2, 4)
    assert "was changed" in run.calls[0].attempts[0].attempt.reason


def test_what_was_compiled_is_sealed(world, session):
    pointer, _, _ = world.kept()
    assert session().run(USE).value == (1001, 1002)
    made = world.shelf.folder / "compiled" / f"{pointer.artifact}.{pointer.face}"
    made.write_bytes(made.read_bytes()[:-3] + b"bad")
    assert session().run(USE).value == (1001, 1002)


OTHERS = [
    USE.replace(": int", ": any"),
    USE.replace("Score it.", "Other."),
    USE.replace("[x ", "[y ").replace("2 x", "2 y"),
]


@pytest.mark.parametrize("text", OTHERS)
def test_another_interface_is_another_function(world, session, text):
    world.kept()
    run = session().run(text)
    assert run.value == (2, 4)
    assert run.calls[0].attempts


def test_the_newest_trusted_one_counts(world, session):
    world.kept(time=5)
    world.kept('(defn score "Score it." [x : int] : int 7)', time=6)
    assert session().run(USE).value == (7, 7)


def test_it_runs_within_the_limits_of_the_run(world, session):
    endless = '(defn score "Score it." [x : int] : int (loop [i 0] (recur (inc i))))'
    world.kept(endless)
    with pytest.raises(LimitError, match="steps"):
        session(limits=Limits(steps=50_000)).run(USE)


def test_what_it_raises_is_the_programs(world, session):
    world.kept('(defn score "Score it." [x : int] : int (quot x 0))')
    with pytest.raises(ProgramError, match="zero"):
        session().run(USE)
    caught = USE.replace("(map score [1 2])", '(try (score 1) (catch DivisionByZero e "caught"))')
    assert session().run(caught).value == "caught"


def test_branches_run_it_at_once(world, session):
    world.kept('(defn score "Score it." [x : int] : int (reduce + x (range 100)))')
    assert session().run(USE.replace("map score [1 2]", "pmap score (range 50)")).value[49] == 4950 + 49


def test_trusted_keys_are_part_of_the_policy(world, session):
    before = session().host.policy_hash
    world.ring.new("second", {}.get, 2.0)
    assert session().host.policy_hash != before


def test_a_list_of_keys_that_cannot_be_read_trusts_nobody(world, session):
    world.kept()
    world.ring.list_file.write_text("{", encoding="utf-8")
    assert session().run(USE).value == (2, 4)


DIGEST, KEY = "ab" * 32, "cd" * 20


@pytest.mark.parametrize("text", ["l4", f"l4-{DIGEST}", f"l4@{KEY}", f"l4-{DIGEST}@{KEY}"])
def test_its_text_reads_back(text):
    target = parse_target(text, (), ())
    assert isinstance(target, L4CacheHit)
    assert target_text(target) == text
    assert target_of(show_target(target)) == target


@pytest.mark.parametrize("text", ["l4-", "l4-abc", f"l4-{DIGEST}x", f"l4-{DIGEST}@{KEY[:-1]}", "l4@x"])
def test_a_text_that_names_no_program_is_refused(text):
    found = parse_target(text, (), ())
    assert isinstance(found, Unknown)
    assert "names no published program" in found.message


def lose(world, pointer):
    (world.shelf.folder / "blobs" / pointer.artifact).unlink()


def change(world, pointer):
    blob = world.shelf.folder / "blobs" / pointer.artifact
    blob.write_bytes(blob.read_bytes().replace(b"1000", b"2000"))


LOSSES = {
    "lost": (lose, "its program is not here"),
    "changed": (change, "its program was changed"),
    "revoked": (lambda world, pointer: world.ring.revoke("me", 9.0), "which was revoked"),
    "gone": (lambda world, pointer: shutil.rmtree(world.shelf.folder), "it is not here"),
    "unreadable": (
        lambda world, pointer: world.ring.list_file.write_text("no list"),
        "cannot be read as a list",
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_replay_says_whether_the_program_that_ran_can_still_run(world, session, tmp_path, loss):
    pointer, _, _ = world.kept()
    opened, home = session(), tmp_path / "home"
    run = opened.run(USE).run_id

    def again():
        with history_of(home / "journal.sqlite", home) as history:
            return [(each.result, each.because) for each in replay(opened.host, history, run)]

    assert again() == [(Repeated.SAME, "")] * 2
    work, why = LOSSES[loss]
    work(world, pointer)
    assert {result for result, _ in again()} == {Repeated.UNKNOWN}
    said = {because for _, because in again()}.pop()
    assert f"the published program {pointer.artifact[:12]} that ran cannot run again" in said
    assert why in said
