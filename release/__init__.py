"""How releases are made: `python -m release prepare NAME VERSION`, `python -m release build OUT`."""
