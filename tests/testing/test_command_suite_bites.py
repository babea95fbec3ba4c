"""The suite of commands finds what is wrong with one, and nothing in a right one."""

from __future__ import annotations

import click
import pytest

from rtfs_framework.api import CommandEntry
from rtfs_framework.testing.conformance import CommandConformance


@click.command()
@click.option("--loud", is_flag=True, help="Say it loudly.")
def greet(loud):
    """Say hello."""


@click.command()
@click.option("--loud", is_flag=True)
def silent(loud):
    """Say hello."""


@click.command()
def wordless():
    pass


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("rest", nargs=-1, type=click.UNPROCESSED)
def takes_anything(rest):
    """Say hello."""


def suite(**changes):
    fields = {"name": "greet", "summary": "Say hello.", "example": "rtfs greet --loud", "load": lambda: greet}

    class Suite(CommandConformance):
        def make(self):
            return CommandEntry(**{**fields, **changes})

    return Suite()


@pytest.mark.parametrize("name", ["greet", "learn greeting"])
def test_a_right_one_passes(failing, name):
    assert failing(suite(name=name, example=f"rtfs {name} --loud")) == set()


@pytest.mark.parametrize(
    ("changes", "test"),
    [
        ({"name": "Greet", "example": ""}, "test_its_name_is_one_word_or_two"),
        ({"name": "say it now", "example": ""}, "test_its_name_is_one_word_or_two"),
        ({"name": "say  it", "example": ""}, "test_its_name_is_one_word_or_two"),
        ({"summary": " "}, "test_the_help_can_show_it"),
        ({"summary": "a\nb"}, "test_the_help_can_show_it"),
        ({"summary": "x" * 101}, "test_the_help_can_show_it"),
        ({"example": "rtfs great"}, "test_the_help_can_show_it"),
        ({"load": lambda: len}, "test_it_loads_a_click_command_as_often_as_asked"),
        ({"load": iter([greet]).__next__}, "test_it_loads_a_click_command_as_often_as_asked"),
        ({"load": lambda: wordless}, "test_it_tells_how_it_is_used"),
        ({"load": lambda: silent}, "test_it_tells_how_it_is_used"),
        ({"load": lambda: takes_anything}, "test_what_it_does_not_know_is_refused_as_usage"),
    ],
)
def test_a_wrong_one_fails(failing, changes, test):
    assert test in failing(suite(**changes), (StopIteration, AttributeError))
