"""Compiled programs that are kept: sealed, so that only what this user's own compiler made is ever run.

    seal    bytes -> sealed bytes and back, with a key that only the user can read
    build   which compiler this is: version, Python, source files
    store   compile a program, or take what was compiled before (the level L4 of the cache layers)
    quick   whole closed programs, for commands that then need no plugin, no configuration and no command line
    closed  which programs are closed: they ask nothing of their host

`seal`, `build` and `quick` are imported before anything else at the quickest start, so they import next to nothing.
"""
