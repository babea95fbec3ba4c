"""Where a call runs: rules, hints, routes, plans from memory, engines. Performs nothing."""
