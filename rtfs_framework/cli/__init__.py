"""The `rtfs` command: what people type, and what they see. One door in (`main`), one handler for errors (`faults`).

main       arguments -> exit code; everything below is loaded when a command needs it
door       the commands of this package, of `testing` and of plugins, through the same hook
faults     any error -> what is printed and the exit code; never a traceback
commands/  one module per command
records/   CSV, JSON Lines and text -> records, one at a time
shown/     what a run looks like: rows, progress, summary
"""
