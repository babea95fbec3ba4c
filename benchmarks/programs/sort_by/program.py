"""Sort records by group, then by descending score; then a checksum of the order. `setup`, not timed, makes them."""


def setup(n):
    return [{"id": i, "group": i * 7919 % 17, "score": i * i * 104729 % 10007} for i in range(n)]


def main(records):
    total = 0
    for r in sorted(records, key=lambda r: (r["group"], -r["score"])):
        total = (total * 31 + r["id"]) % 1000003
    return total
