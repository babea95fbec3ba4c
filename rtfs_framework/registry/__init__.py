"""The registry: from installed distributions to the `Catalog`, the plain tables that a host works with.

    discover   entry points of the group `rtfs_framework` -> FoundPlugin (nothing imported yet)
    admit      one plugin -> the records that it offers, and its problems (the only module that imports pluggy)
    collect    all offers -> Catalog; a name that is offered twice belongs to nobody
    load       the three in a row

Invariants: a plugin's failure becomes a `PluginProblem` that names its distribution, and everything else loads; hooks
are called once, here; after that nothing is looked up but dicts.
"""

from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.load import load_catalog
from rtfs_framework.registry.problems import PluginProblem, Provenance

__all__ = ["Catalog", "PluginProblem", "Provenance", "load_catalog"]
