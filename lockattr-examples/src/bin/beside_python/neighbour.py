"""The Python program that shares a device with the Rust program."""

import os
import sys
import time

package, inside, turns = sys.argv[1:]


def use_it():
    os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # fails if another process is inside
    time.sleep(0.001)
    os.unlink(inside)


if package == "k3portlock":
    from k3portlock import Portlock

    for _ in range(int(turns)):
        with Portlock("example-python-port", timeout=30):
            use_it()
        time.sleep(0.001)
else:
    from cjnfuncs.resourcelock import resource_lock

    lock = resource_lock("example-python-semaphore")
    for _ in range(int(turns)):
        assert lock.get_lock(timeout=30, lock_info="neighbour.py")
        use_it()
        lock.unget_lock()
        time.sleep(0.001)
    lock.close()
