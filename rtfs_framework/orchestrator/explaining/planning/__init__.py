"""Plans of whole programs: deciding for all call sites at once, and writing that down for review."""
