"""A program of the predecessor in a storm (tests/storm/): takes the lock for ever.

Arguments: `portlock`, `tcp` or `resourcelock`; the lock's name; the file of the storm's log (log.rs).
"""

import fcntl
import os
import struct
import sys
import time

WITNESS, VIOLATIONS, PYTHON = 1000, 1 * 8, 9 * 8

kind, name, path = sys.argv[1:]
log = os.open(path, os.O_RDWR)


def count(at):
    (number,) = struct.unpack("q", os.pread(log, 8, at))
    os.pwrite(log, struct.pack("q", number + 1), at)


def body():
    try:
        fcntl.lockf(log, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, WITNESS)
    except OSError:
        count(VIOLATIONS)
    time.sleep(0.0005)
    count(PYTHON)
    fcntl.lockf(log, fcntl.LOCK_UN, 1, WITNESS)


if kind == "resourcelock":
    from cjnfuncs.resourcelock import resource_lock

    lock = resource_lock(name)
    acquire = lambda: lock.get_lock(0.05, lock_info="storm")
    release = lock.unget_lock
else:
    import k3portlock.portlock

    if kind == "tcp":
        k3portlock.portlock.OS = "another"
    lock = k3portlock.Portlock(name, timeout=0.05, sleep_time=0.001)

    def acquire():
        try:
            lock.acquire()
            return True
        except k3portlock.PortlockTimeout:
            return False

    release = lock.release

while True:
    if acquire():
        body()
        release()
    time.sleep(0.001)
