"""What crosses between a program and Python: answers, errors, values. Knows no call and no run."""
