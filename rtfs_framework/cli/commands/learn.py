"""`rtfs learn`: what engines have learned, and fitting what they decide by. One subcommand per file: `learn_*.py`."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Show, export and reset what engines have learned from the journal; fit what they decide by."""
