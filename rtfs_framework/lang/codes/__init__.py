"""Every diagnostic code: what it means, a mistake that gets it, and how it is written right.

record   the record, and the table that the other modules fill
reading, forms, types, running   codes of programs
hosts, tools   codes of configurations, providers, plugins and command lines
table    all of them
"""
