"""Programs written by models: `rtfs write` and `rtfs bench write`.

`replies` finds the program in what a model says, `asking` puts the question, `judging` says what is wrong with a
program, `examples` runs what it must give, `rounds` goes round until it is right or nothing is left.
"""
