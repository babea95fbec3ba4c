"""String building: a line per number, joined; then its length and its end."""


def setup(n):
    return n


def line(i):
    return f"item {i}: {i * i}{' even' if i % 2 == 0 else ' odd'}"


def main(n):
    text = "\n".join([line(i) for i in range(n)])
    return f"{len(text)}{text[-40:]}"
