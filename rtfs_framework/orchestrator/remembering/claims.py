"""Rights to make a value: the one that everybody has, and giving back what was given too late."""

from __future__ import annotations

from rtfs_framework.api.cache import Claim


class _Unshared:
    """The right to make a value that nobody else asks for."""

    def release(self) -> None:
        """Do nothing."""


UNSHARED: Claim = _Unshared()


def give_back(taken: tuple[Claim | None]) -> None:
    """Give a right back that came when nobody waited for it any more."""
    if taken[0] is not None:
        taken[0].release()
