"""A match-heavy interpreter loop: a stack machine that sums the squares up to n."""


def setup(n):
    return [
        *[("push", n), ("store", 0)],
        *[("load", 0), ("load", 0), ("mul",), ("load", 1), ("add",), ("store", 1)],
        *[("load", 0), ("push", 1), ("sub",), ("store", 0)],
        *[("load", 0), ("jump-if", 2)],
        ("halt",),
    ]


def main(code):
    pc = 0
    stack = []
    slots = [0, 0]
    while True:
        instruction = code[pc]
        pc += 1
        match instruction:
            case ("push", value):
                stack.append(value)
            case ("load", slot):
                stack.append(slots[slot])
            case ("store", slot):
                slots[slot] = stack.pop()
            case ("add",):
                right = stack.pop()
                stack.append(stack.pop() + right)
            case ("sub",):
                right = stack.pop()
                stack.append(stack.pop() - right)
            case ("mul",):
                right = stack.pop()
                stack.append(stack.pop() * right)
            case ("jump-if", target):
                if stack.pop() != 0:
                    pc = target
            case ("halt",):
                return slots[1]
