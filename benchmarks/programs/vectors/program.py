"""Vector building: one element after the other at the end, then a walk by index."""


def setup(n):
    return n


def build(n):
    v = []
    for i in range(n):
        v.append(i * 3)
    return v


def main(n):
    v = build(n)
    total = 0
    for i in range(0, len(v), 2):
        total += v[i]
    return total
