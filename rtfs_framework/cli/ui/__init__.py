"""`rtfs ui`: a local page about runs, their calls and what the host holds; and the file that `rtfs report` writes.

Needs the extra `ui`. Data come from the same functions that the commands' `--json` uses; `door` says who may look, and
every value that a template shows has been made visible and escaped (`shown`).
"""
