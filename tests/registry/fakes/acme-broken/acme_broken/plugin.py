"""A plugin that cannot be imported."""

import acme_missing_library  # noqa: F401 - it is not there, and that is what this is for
