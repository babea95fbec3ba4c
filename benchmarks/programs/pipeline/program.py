"""map, filter, reduce over a range, as comprehensions."""


def setup(n):
    return n


def main(n):
    squares = [x * x for x in range(n)]
    return sum([x for x in squares if x % 3 == 1])
