"""Pattern matching: a small stack machine, whose instructions are vectors of a name and arguments."""


def step(state, instruction):
    match instruction:
        case ("add", n):
            return state + n
        case ("scale", n, m):
            return state * n % m
        case ("swap", low, high):
            return high - (state - low) if low <= state <= high else state
        case ("clear",):
            return 0


def instruction(i):
    if i % 31 == 0:
        return ("clear",)
    return (("add", i % 11), ("scale", i % 5 + 1, 1009), ("swap", 10, 500 + i % 100))[i % 3]


def setup(n):
    return [instruction(i) for i in range(1, n + 1)]


def main(program):
    state = 1
    for instruction in program:
        state = step(state, instruction) + 1
    return state
