"""What the suites share: nobody overrides a test of the contract, and a known gap is a strict xfail with a reason."""

from __future__ import annotations

import functools
from abc import ABC
from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import getattr_static
from typing import Any, ClassVar, NoReturn

PREFIX = "test_"


class Conformance(ABC):  # noqa: B024 - its suites have the abstract methods
    """Base of the suites. A suite is a direct subclass; a plugin's test class inherits from a suite."""

    known_gaps: ClassVar[Mapping[str, str]] = {}
    """Tests that this plugin is known to fail, each with the reason."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a class that changes a test of its suite; mark its known gaps.

        Raises:
            TypeError: A test is overridden, or a gap names no test of the suite.
        """
        super().__init_subclass__(**options)
        tests = {name: each for suite in cls.__mro__[1:] for name, each in _tests(suite).items()}
        for name, test in tests.items():
            found = getattr_static(cls, name)
            if getattr_static(found, "__wrapped__", found) is not test:
                raise TypeError(f"{cls.__name__} overrides {name}, which is part of the contract; see known_gaps")
        for name, reason in cls.__dict__.get("known_gaps", {}).items():
            if name not in tests:
                raise TypeError(f"{cls.__name__}.known_gaps names {name}, which is no test of the contract")
            setattr(cls, name, _expected_to_fail(tests[name], reason))


def _tests(suite: type) -> dict[str, Any]:
    """Return the tests of a suite itself: what the classes that inherit from it may not change."""
    if suite is Conformance or Conformance not in suite.__bases__:
        return {}
    return {name: each for name, each in vars(suite).items() if name.startswith(PREFIX)}


def _expected_to_fail(test: Callable[..., Any], reason: str) -> Any:
    @functools.wraps(test)
    def gap(*args: Any, **fixtures: Any) -> Any:
        return test(*args, **fixtures)

    return import_module("pytest").mark.xfail(reason=reason, strict=True)(gap)


def check(holds: bool, message: str) -> None:
    """Fail the test with a message unless something holds (asserts of an installed module explain nothing)."""
    if not holds:
        fail(message)


def fail(message: str) -> NoReturn:
    """Fail the test."""
    raise AssertionError(message)
