"""How threads, tasks and plug-ins' code wait: loops, lanes, crews, deadlines, slots. Knows no call and no run."""
