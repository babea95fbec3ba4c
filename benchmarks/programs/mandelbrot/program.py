"""Mandelbrot: floats. The sum of the rounds until each point of an n by n grid escapes, at most 50."""


def escape(cr, ci):
    zr = zi = 0.0
    for i in range(50):
        rr = zr * zr
        ii = zi * zi
        if rr + ii > 4.0:
            return i
        zr, zi = rr - ii + cr, 2.0 * zr * zi + ci
    return 50


def row(n, y):
    ci = 2.0 * (y / n) - 1.0
    total = 0
    for x in range(n):
        total += escape(3.0 * (x / n) - 2.0, ci)
    return total


def setup(n):
    return n


def main(n):
    total = 0
    for y in range(n):
        total += row(n, y)
    return total
