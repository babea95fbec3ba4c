"""n queens: how many ways there are to place n queens, row by row."""


def safe(queens, row, column):
    for i in range(row):
        other = queens[i]
        if other == column or abs(other - column) == row - i:
            return False
    return True


def place(n, row, queens):
    if row == n:
        return 1
    ways = 0
    for column in range(n):
        if safe(queens, row, column):
            queens.append(column)
            ways += place(n, row + 1, queens)
            queens.pop()
    return ways


def setup(n):
    return n


def main(n):
    return place(n, 0, [])
