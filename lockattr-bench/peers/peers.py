"""A lock of Python as a worker of lockattr-bench: `peers.py PEER NAME`, then one order a line, one answer a line.

The orders are those of `contender/src/order.rs`; times are nanoseconds of CLOCK_MONOTONIC.
"""

import os
import sys
import tempfile
import time

SECOND = 1_000_000_000


class K3portlock:
    def __init__(self, name):
        from k3portlock import Portlock, PortlockTimeout

        self.lock, self.timed_out = Portlock(name), PortlockTimeout
        self.release = self.lock.release

    def acquire(self, timeout):
        self.lock.timeout = timeout
        try:
            self.lock.acquire()
            return True
        except self.timed_out:
            return False


class K3portlockTcp(K3portlock):
    """As where there are no abstract sockets."""

    def __init__(self, name):
        import k3portlock

        k3portlock.portlock.OS = "another"
        super().__init__(name)


class Cjnfuncs:
    def __init__(self, name):
        from cjnfuncs.resourcelock import resource_lock

        lock = resource_lock(name)
        self.acquire, self.release = lock.get_lock, lock.unget_lock


class Filelock:
    def __init__(self, name):
        from filelock import FileLock, Timeout

        lock = FileLock(os.path.join(tempfile.gettempdir(), name))
        self.lock, self.timed_out, self.release = lock, Timeout, lock.release

    def acquire(self, timeout):
        try:
            self.lock.acquire(timeout=timeout)
            return True
        except self.timed_out:
            return False


def pairs(count):
    acquire, release = lock.acquire, lock.release
    start = time.perf_counter_ns()
    for _ in range(count):
        if not acquire(1.0):
            raise RuntimeError("a lock that no other process uses timed out")
        release()
    return time.perf_counter_ns() - start


def hold():
    if not lock.acquire(1.0):
        raise RuntimeError("the lock is not free")
    print("ok holding", flush=True)
    sys.stdin.readline()
    begun = time.monotonic_ns()
    lock.release()
    return f"{begun} {time.monotonic_ns()}"


def wait(timeout):
    if not lock.acquire(timeout / SECOND):
        return "timeout"
    entered = time.monotonic_ns()
    lock.release()
    return entered


def step(length):
    """As `Histogram` counts: 32 steps for each power of two."""
    shift = max(length.bit_length() - 6, 0)
    return shift * 32 + (length >> shift)


def spin(end):
    """Works until then. Returns how long it was on a processor."""
    processor = time.thread_time_ns()
    while time.monotonic_ns() < end:
        pass
    return time.thread_time_ns() - processor


def contend(start, settling, length, hold, pause):
    acquisitions = timeouts = longest = processor = 0
    waits = {}
    clock = time.monotonic_ns
    time.sleep(max(start - clock(), 0) / SECOND)
    settled = start + settling
    end = settled + length
    while (asked := clock()) < end:
        if asked < settled:
            processor = -time.process_time_ns()
        held = lock.acquire(1.0)
        entered = clock()
        if held:
            if hold and entered < end:
                processor -= spin(entered + hold)
            lock.release()
        if entered >= settled:
            waited = entered - asked
            acquisitions += held and entered < end
            timeouts += not held or waited > SECOND
            longest = max(longest, waited)
            at = step(waited)
            waits[at] = waits.get(at, 0) + 1
        if pause:
            time.sleep(pause / SECOND)
    processor = max(processor + time.process_time_ns(), 0)
    counts = " ".join(f"{at}:{count}" for at, count in sorted(waits.items()))
    return f"{int(acquisitions)} {timeouts} {processor} {longest} {counts}"


ORDERS = {"pairs": pairs, "hold": hold, "wait": wait, "contend": contend}
PEERS = {
    "k3portlock": K3portlock,
    "k3portlock-tcp": K3portlockTcp,
    "cjnfuncs": Cjnfuncs,
    "py-filelock": Filelock,
}

try:
    lock = PEERS[sys.argv[1]](sys.argv[2])
except Exception as error:
    print(f"error {error!r}", flush=True)
    sys.exit(1)
print("ok ready", flush=True)
for line in sys.stdin:
    order, *numbers = line.split()
    try:
        print("ok", ORDERS[order](*map(int, numbers)), flush=True)
    except Exception as error:
        print(f"error {error!r}", flush=True)
