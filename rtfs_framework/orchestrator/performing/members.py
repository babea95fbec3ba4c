"""A provider as another one asks it: made, waited for and bounded by the host like any, within the request that asked.

Nothing of it is billed, guarded or written down on its own: a member is a local model without a price
(`config/members.py`), its request is the one that was guarded, and what it said stands in the asker's explanation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.errors import ProviderError
from rtfs_framework.api.provider import InferenceReply, InferenceRequest
from rtfs_framework.orchestrator.performing.preconditions import check_usable
from rtfs_framework.orchestrator.performing.providers import ProviderInstance
from rtfs_framework.orchestrator.performing.sending import infer_in_turn
from rtfs_framework.registry.faults import PluginFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtfs_framework.api.targets import ExecTarget


@attrs.frozen(slots=True)
class HostMember:
    """One of them (an `api.provider.Member`)."""

    instance: ProviderInstance

    def fingerprint(self) -> str:
        """Return its fingerprint.

        Raises:
            ProviderError: Its plug-in could not make it, or gave none.
        """
        try:
            return self.instance.fingerprint()
        except PluginFault as fault:
            raise ProviderError(self.instance.spec.id, f"it has no fingerprint: {fault}") from fault

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return its answer.

        Raises:
            ProviderError: It has none.
        """
        instance = self.instance
        timeout = min(request.timeout, instance.spec.timeout)
        try:
            check_usable(instance)
            return await infer_in_turn(instance, attrs.evolve(request, timeout=timeout, on_text=None))
        except ProviderError:
            raise
        except PluginFault as fault:
            instance.told(instance.part, fault, "", "the request has failed")
            raise ProviderError(instance.spec.id, f"its plug-in broke: {fault}") from fault
        except Exception as error:
            instance.told(instance.part, error, "answering", "the request has failed")
            raise ProviderError(instance.spec.id, f"its plug-in broke: {type(error).__name__}") from error


def link_members(instances: Mapping[ExecTarget, ProviderInstance]) -> None:
    """Give those that ask others their members; who asks one that answers now so, now otherwise does so, too."""
    for instance in instances.values():
        instance.members = {text: instances[target] for text, target in instance.spec.members.items()}
    for instance in instances.values():
        if instance.entry.deterministic and not instance.steady:
            instance.entry = attrs.evolve(instance.entry, deterministic=False)
