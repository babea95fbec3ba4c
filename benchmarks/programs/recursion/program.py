"""Deep recursion: 40 descents of n calls, none of them a tail call."""


def descend(n):
    return 0 if n == 0 else 1 + descend(n - 1)


def setup(n):
    return n


def main(n):
    total = 0
    for _ in range(40):
        total += descend(n)
    return total
