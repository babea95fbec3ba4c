"""The same without `match`, which Monty does not know."""


def step(state, instruction):
    name = instruction[0]
    if name == "add":
        return state + instruction[1]
    if name == "scale":
        return state * instruction[1] % instruction[2]
    if name == "swap":
        low, high = instruction[1], instruction[2]
        return high - (state - low) if low <= state <= high else state
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
