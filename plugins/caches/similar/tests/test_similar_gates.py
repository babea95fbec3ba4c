"""Gates: what must not match closes one, and innocent neighbours pass."""

from __future__ import annotations

import pytest

from rtfs_cache_similar.gates import GATES, LONGEST, Passed, asked, closed
from rtfs_cache_similar.gates.seen import seen

INNOCENT = {
    "numbers": [
        ("What would you do with 1 billion dollars?", "What would you do if you had one billion dollars?"),
        ("Is two plus three five?", "Is 2 plus 3 five?"),
        ("Name 1,000 ships", "Name 1000 ships"),
    ],
    "versions": [("What is new in Python 3.10?", "What's new in Python 3.10?")],
    "paths": [("How do I delete /tmp/a.txt?", "How can I delete /tmp/a.txt.")],
    "flags": [("What does git push --force do?", "What is git push --force doing?")],
    "code": [("How do I get views on YouTube?", "How do I get views on Youtube?")],
    "quoted": [('What is the idea behind "Make in India"?', "What is the idea behind Make in India?")],
    "units": [("What is 5 km in steps?", "What are 5 kilometers in steps?")],
    "dates": [("Is it open on Monday?", "Is it open on Mondays?"), ("Rain in Sept?", "Rain in September?")],
    "currencies": [("Is $5 enough?", "Is 5 $ enough?"), ("Pay 5 euros", "Pay 5 euro")],
    "negation": [("Why isn't it working?", "Why is it not working?")],
    "quantifiers": [("What are the best ways to learn?", "What are good ways to learn?")],
    "opposites": [("How do I turn on the light?", "How can I turn on the lights?")],
    "language": [("How are you today?", "How are you doing today?")],
    "names": [("What does Donald Trump want?", "What does Trump want?"), ("Is japanese hard?", "Is Japanese hard?")],
    "roles": [
        (
            "What's the difference between Arduino and Raspberry?",
            "What is the difference between Raspberry and Arduino?",
        ),
        ("What are India's best kept secrets?", "What are the best kept secrets of India?"),
    ],
    "swaps": [
        ("How do I learn quickly?", "How do I learn fast?"),
        ("How do I save the enviroment?", "How do I save the environment?"),
    ],
    "symbols": [
        ("Thanks for the help \U0001f642!", "Thank you for the help \U0001f642"),
        ("Is it hot? :)", "Is it hot?"),
    ],
    "operators": [
        ("What are the pros & cons of democracy?", "What are the pros and cons of democracy?"),
        ("Is a well-known film good?", "Is a well known film good?"),
        ("Should I buy a cat or a dog?", "Shall I buy a dog or a cat?"),
    ],
    "letters": [
        ("Is there a way to learn?", "Is there any way to learn?"),
        ("Should I buy a car?", "Should u buy the car?"),
        ("What's vitamin C for?", "What is vitamin c for?"),
    ],
    "small words": [
        ("How do I lose my weight?", "How do you lose your weight?"),
        ("Is this used to cut?", "Is that used to cut?"),
    ],
}


def test_there_are_enough_pairs_and_all_differ(must_not_match) -> None:
    assert len({frozenset(pair[1:]) for pair in must_not_match}) == len(must_not_match) >= 650
    assert {"negation", "roles", "numbers", "dates", "units", "currencies", "names", "versions", "paths", "flags",
            "languages", "code", "on/off", "symbols", "tense"} <= {pair[0] for pair in must_not_match}  # fmt: skip


def test_a_gate_closes_for_what_must_not_match(must_not_match) -> None:
    pairs = [pair[1:] for pair in must_not_match]
    assert [pair for pair in pairs if closed(*pair) is None or closed(*reversed(pair)) is None] == []


@pytest.mark.parametrize("gate", sorted(GATES))
def test_innocent_neighbours_pass_each_gate(gate) -> None:
    assert [(pair, GATES[gate](*map(seen, pair))) for pair in INNOCENT[gate] if GATES[gate](*map(seen, pair))] == []


@pytest.mark.parametrize(
    ("gate", "near", "far"),
    [
        (
            "names",
            ("What is a good laptop?", "What is a good laptop in India?"),
            ("Which laptop is good to buy?", "What is a good laptop in India for students?"),
        ),
        (
            "quantifiers",
            ("Do cells have walls?", "Do all cells have walls?"),
            ("Do the cells of bacteria have walls?", "Are there walls in all cells, plants included?"),
        ),
        (
            "roles",
            ("The cat bit the dog", "The cat was bitten by the dog"),
            (
                "What is the best programming language for beginners to learn?",
                "What programming languages should be learned to become the best programmer?",
            ),
        ),
    ],
    ids=["names", "quantifiers", "roles"],
)
def test_a_soft_gate_closes_for_little_else_and_notes_beside_much(gate, near, far) -> None:
    assert closed(*near).gate == closed(*reversed(near)).gate == gate
    assert asked(*far) == asked(*reversed(far)) == Passed(noted=frozenset({gate}))


def test_a_name_in_the_place_of_another_closes_whatever_else_differs() -> None:
    found = closed("Which laptop of Lenovo is good to buy now?", "What is the best machine by Toshiba for students?")
    assert found is not None
    assert found.gate == "names"


def test_equal_texts_pass_all() -> None:
    assert closed("Is --force 5 km?", "Is --force 5 km?") is None


def test_what_is_too_long_to_compare_is_not_served() -> None:
    found = closed("a" * (LONGEST + 1), "a")
    assert found is not None
    assert found.gate == "length"


@pytest.mark.parametrize("hidden", ["\u200b", "\u2060", "\u00ad"])
def test_invisible_letters_change_nothing(hidden) -> None:
    found = closed(f"Turn it o{hidden}n", "Turn it off")
    assert found is not None
    assert found.gate == "opposites"


def test_letters_that_only_look_alike_close() -> None:
    found = closed("Pay p\u0430ypal the bill", "Pay paypal the bill")
    assert found is not None
    assert found.gate == "language"
