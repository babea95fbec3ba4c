"""The same with a persistent hash map written in C (immutables), used directly."""

import immutables


def setup(n):
    return [i * 7919 % 1009 for i in range(n)]


def main(keys):
    counts = immutables.Map()
    for key in keys:
        counts = counts.set(key, counts.get(key, 0) + 1)
    return 1000000 * len(counts) + counts[0] + counts[1]
