"""What is known of a program that was checked. It imports next to nothing, for a check may need no host."""

from __future__ import annotations

from rtfs_framework.lang import records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.lang.signature import FunctionEffect
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.explaining.explain import ExplainedSite
    from rtfs_framework.orchestrator.explaining.market.needs import Need
    from rtfs_framework.orchestrator.explaining.seen import SeenSite


@records.frozen(kw_only=True)
class Checked:
    """What is known of a program without running it. A refused program has diagnostics only."""

    sources: tuple[Source, ...]
    """The program's text, then those of the modules that it imports."""
    diagnostics: tuple[Diagnostic, ...]
    effects: tuple[FunctionEffect, ...] = ()
    sites: tuple[ExplainedSite, ...] = ()
    needs: tuple[Need, ...] = ()
    """The capabilities that it calls, and what it lacks of them."""
    seen: tuple[SeenSite, ...] | None = None
    """What may be seen at each place that asks the host; None where nobody has asked."""

    @property
    def accepted(self) -> bool:
        """Tell whether nothing is wrong; a program whose errors only happen when they are reached runs nevertheless."""
        return all(each.severity != "error" for each in self.diagnostics)

    @property
    def pure(self) -> bool:
        """Tell whether no function can ask its host for anything, as far as it is known."""
        return all(each.purity.value == "pure" for each in self.effects)

    def source(self, name: str) -> Source:
        """Return the text of a name; the program's own when none has it."""
        return next((each for each in self.sources if each.name == name), self.sources[0])
