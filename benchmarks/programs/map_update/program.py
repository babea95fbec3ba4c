"""Map update: count how often each of a thousand keys comes. `setup` makes the keys, which is not timed."""


def setup(n):
    return [i * 7919 % 1009 for i in range(n)]


def main(keys):
    counts = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return 1000000 * len(counts) + counts[0] + counts[1]
