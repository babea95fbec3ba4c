"""What is made of the user's key: a seal for each use, and keyed digests of credentials.

In: the folder of `artifacts.key`. Out: seals whose keys are derived from it, so that a plugin that is handed one can
seal and open what is its own and nothing else. The key is read, or made, when something is first asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import attrs

from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.maps import Map
from rtfs_framework.orchestrator.remembering.artifacts.seal import Seal, SealError, make_seal

_ACCOUNT = b"account"


@attrs.define(slots=True, eq=False)
class Keyring:
    """The seals of one user. `folder` is asked once."""

    folder: Callable[[], str]
    _seal: Seal | None = attrs.field(default=None, init=False, repr=False)
    _accounts: Seal | None = attrs.field(default=None, init=False, repr=False)

    def seal(self, use: str) -> Seal:
        """Return the seal of one use.

        Raises:
            SealError: The key cannot be made, or others than the user could have read it.
        """
        if self._seal is None:
            self._seal = make_seal(self.folder())
        return self._seal.derived(use.encode())

    def account(self, named: Mapping[str, str]) -> str:
        """Return the keyed digest (hex) of who asks: the name and value of all that chooses the account; "" of nothing.

        Without a key that can be kept, one of this process stands in: then nothing is found again by the next.
        """
        if not named:
            return ""
        if self._accounts is None:
            try:
                self._accounts = self.seal("accounts")
            except SealError:
                self._accounts = Seal(os.urandom(32))
        return self._accounts.mac(_ACCOUNT, digest(Map.wrap(dict(named))).encode()).hex()
