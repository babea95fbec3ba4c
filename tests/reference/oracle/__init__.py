"""The oracle: a second, plain implementation of the language's core, and what makes programs to compare the two."""
