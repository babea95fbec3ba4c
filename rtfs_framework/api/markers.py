"""The pluggy markers. Besides `registry`, only this module and `hookspecs` import pluggy."""

from __future__ import annotations

import pluggy

PROJECT = "rtfs_framework"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
