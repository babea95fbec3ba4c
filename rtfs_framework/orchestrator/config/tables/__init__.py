"""The tables of `delegation.toml` as classes, one file for each part of it; `file` is the whole."""
