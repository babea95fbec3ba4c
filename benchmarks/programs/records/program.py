"""Records: accounts are made, changed copy by copy, and summed by their fields."""


def account(i):
    return {"id": i, "balance": i * 37 % 1000, "limit": 100 + i % 7, "open": i % 5 != 0}


def withdraw(account, amount):
    left = account["balance"] - amount
    return account if left < -account["limit"] else {**account, "balance": left}


def worth(account):
    return account["balance"] + account["limit"] if account["open"] else 0


def setup(n):
    return [account(i) for i in range(n)]


def main(accounts):
    paid = [withdraw(withdraw(account, 150), account["id"] % 90) for account in accounts]
    return sum(worth(account) for account in paid)
