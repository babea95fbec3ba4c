"""The naive Fibonacci number: calls, comparison and addition, nothing else."""


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def setup(n):
    return n


def main(n):
    return fib(n)
