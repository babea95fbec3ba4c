"""A loop with an accumulator: a checksum of the first n integers."""


def setup(n):
    return n


def main(n):
    total = 0
    for i in range(n):
        total = (total * 31 + i) % 1000003
    return total
