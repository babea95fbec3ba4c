"""`rtfs repl`: read forms, run them in one growing program, print their values.

talk      one conversation: inputs in, values out; knows no terminal
hosts     where its calls go: a configured host, or nowhere
shell     an input or a `:command` in, text out; errors become reports
commands  `:doc`, `:type` and their like
words     what is known of a name: library, special forms, macros, the conversation's own functions
shown     the types of values
piped     the loop without a terminal
terminal  the loop with one: prompt_toolkit, history, completion, colours
"""
