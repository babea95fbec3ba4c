"""Checks of a finished program: what can be proved wrong, or is surely unwanted, without running it.

Each check is one file with one function from the program and its `Facts` to diagnostics; `run.check_program` runs all.
The rule of the house: an *error* is said only of what fails whenever it is reached, a *warning* of what can never run
or never fit, a *hint* of what is merely unused. Guesses are not made.
"""
