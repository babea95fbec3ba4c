"""Special forms, one family per file, all entered into `table.SPECIALS` by the `@special` decorator."""
