"""E0901 to E0999: command lines, files of records, and bugs of ours."""

from __future__ import annotations

from rtfs_framework.lang.codes.record import enter

enter(
    "E0901",
    "no such file",
    "The report names the nearest file, and the folder that was looked in.",
    "rtfs run triag.rtfs",
    "rtfs run triage.rtfs",
    language="console",
)
enter(
    "E0902",
    "not in the encoding",
    "The bytes are no UTF-8, or not the encoding that was named. Save the file as UTF-8.",
)
enter("E0903", "a file cannot be read", "It is there, but it is a folder, is damaged, or may not be opened.")
enter("E0904", "no such column", "The records have no column of this name; the report lists those that there are.")
enter("E0905", "a malformed record", "A line is no CSV row or no JSON value. The report shows the line.")
enter("E0906", "a record without the key", "The key that was asked for is not in this record.")
enter("E0907", "nothing to do", "The file or folder holds no records, or no programs.")
enter(
    "E0908",
    "main does not fit",
    "The program has no function main, or it does not take the arguments that it would be given: one record for each "
    "call.",
    "rtfs run hello.rtfs --input messages.csv   # hello.rtfs has no main",
    "(defn main [record] (get record :text))",
    language="console",
)
enter(
    "E0909",
    "unknown command",
    "`rtfs --help` lists the commands; plugins may add some.",
    "rtfs rnu",
    "rtfs run",
    language="console",
)
enter("E0910", "an argument that is none of the choices", "The report lists the choices, or says what is missing.")
enter(
    "E0911",
    "an overlong line",
    "A line is longer than any record should be; the file may not be what it seems.",
)
enter(
    "E0912",
    "the output cannot be written",
    "The disk is full, the folder cannot be written, the output is the input, or the standard output is closed.",
)
enter("E0913", "a command of the REPL with the wrong argument", "`:help` shows every command with its use.")
enter(
    "E0914",
    "the language server is not installed",
    "It needs pygls, which is an extra.",
    "rtfs lsp",
    "pip install 'rtfs-framework[lsp]'",
    language="console",
)
enter("E0915", "case files that cannot be used", "They are missing, are no TOML, or hold a case without its fields.")
enter(
    "E0919",
    "--call is no call of a function of the program",
    "A call to ask about is a function that the program defines, and literals: nothing of the program runs.",
    "rtfs explain triage.rtfs --call '(feeling (str 1))'",
    "rtfs explain triage.rtfs --call '(feeling \"I love it\")'",
    language="console",
)
enter(
    "E0920",
    "a session or program that was closed",
    "It was closed before, or while the run was under way, or belongs to the process that this one was forked from; "
    "the message says so. Open a session, or load the program, where it is used, and close it when nothing needs it.",
)
enter(
    "E0921",
    "an argument that no program can hold",
    "What a caller of the Python API hands in becomes values as what capabilities give does (E0812): dicts, lists, "
    "sets, texts, numbers, aware datetimes and UUIDs are taken; Decimal, bytes and objects are not. The message says "
    "which argument or record it is, and what to give instead.",
)
enter("E0999", "internal error", "A bug of ours. The details are in the file that the message names; please report it.")
