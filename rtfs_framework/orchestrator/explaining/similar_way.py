"""What the similar cache would do for a call that is asked about. Asks no model; no look-up counts.

In: a host, a call, what is decided about it. Out: pairs of words: the partition with its evidence and bound, and
whether an entry would be served, or why not. The vector is made by the embedder of this device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.orchestrator.performing.prompt import varying
from rtfs_framework.orchestrator.recording.records import Decision, Steps
from rtfs_framework.orchestrator.recording.run_scope import OpenCall, RunScope
from rtfs_framework.orchestrator.recording.similar_mark import words_of

if TYPE_CHECKING:
    from rtfs_framework.api.labels import Label
    from rtfs_framework.api.similar import SimilarReport
    from rtfs_framework.kernel.outcome import HostCall
    from rtfs_framework.lang.types.names import Lookup
    from rtfs_framework.orchestrator.deciding.known import Undecided
    from rtfs_framework.orchestrator.host import Host

_DIGITS = 12


def similar_way(host: Host, call: HostCall, found: Decision | Undecided, label: Label, lookup: Lookup) -> Steps:
    """Return what would come of looking for the answer to a similar request; nothing where nobody would look."""
    models, function = host.dispatcher.models, call.function
    target = found.plan.target if isinstance(found, Decision) else None
    instance = host.pool.get(target) if isinstance(target, LocalModel | RemoteModel) else None
    if models.similar is None or function is None or instance is None or not isinstance(found, Decision):
        return ()
    if label or found.plan.transform:
        return (("similar", "not known before the call: it carries marks, or something is taken out of it"),)
    scope = RunScope(sink=lambda *_: None, tenant=host.config.tenant, lookup=lookup)
    opened = OpenCall.of(call, scope, host.clock.monotonic())
    if not models.similar.concerns(opened, function):
        return (("similar", "is not looked at: by [caches.similar], or by a hint of the call"),)
    key = models.reuse.key(opened, function, instance)
    if key is None:
        return (("similar", f"is not looked at: replies of {instance.entry.name} are not reused"),)
    question = models.similar.question(opened, function, instance, key, varying(function, call))
    seen = None if question is None else models.similar.preview(question)
    if question is None or seen is None:
        return (("similar", "cannot be asked now"),)
    looked, report = seen
    shown = question.partition.digest[:_DIGITS]
    return (
        (f"similar partition {shown}", _evidence(report)),
        ("similar", words_of(looked.mark().to_json())),
    )


def _evidence(report: SimilarReport | None) -> str:
    if report is None:
        return "no look-ups yet"
    bound = (
        "no bound yet" if report.wrong_of_all is None else f"wrong answers at most {report.wrong_of_all:.2%} of them"
    )
    judged = f"{report.judged_same + report.judged_other:,} judged ({report.judged_other:,} other)"
    return f"{report.lookups:,} look-ups, {report.served:,} served, {judged}, {bound}"
