"""Colours are written as click writes them, without click."""

from __future__ import annotations

import click
import pytest

from rtfs_framework.cli import style


@pytest.mark.parametrize("colour", [None, "red", "green", "yellow", "cyan"])
@pytest.mark.parametrize("bold", [False, True])
def test_a_style_is_that_of_click(colour, bold):
    assert style.styled("é x", colour, bold=bold) == click.style("é x", fg=colour, bold=bold or None)
