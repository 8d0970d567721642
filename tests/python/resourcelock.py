"""Plays a user of resourcelock for tests/interop/resourcelock/: `lock` is the one named by the first
argument, a second one is the size of its shared memory. One expression a line, its value in one line."""

import os
import sys
import time

from cjnfuncs.resourcelock import resource_lock


def hammer(folder, seconds):
    """Takes turns until the time is over; how many. Nobody else may be inside meanwhile."""
    inside, count = os.path.join(folder, "inside"), os.path.join(folder, "count")
    turns = 0
    end = time.monotonic() + seconds
    while turns == 0 or time.monotonic() < end:
        assert lock.get_lock(60, lock_info="hammer"), "no turn in 60 s"
        os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # fails if somebody is inside
        with open(count) as file:
            before = int(file.read())
        with open(count, "w") as file:
            file.write(str(before + 1))
        os.unlink(inside)
        assert lock.unget_lock(), "not mine any more"
        turns += 1
    return turns


name = sys.argv[1]
lock = resource_lock(name, *map(int, sys.argv[2:]))
print("ready", flush=True)
for line in sys.stdin:
    print(eval(line), flush=True)
