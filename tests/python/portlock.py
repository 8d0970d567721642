"""Plays a k3portlock user for tests/interop/: one command a line, one answer a line.

With the argument `tcp` as on another system than Linux, where k3portlock takes TCP ports.
"""

import os
import sys
import time

import k3portlock.portlock
from k3portlock import Portlock, PortlockTimeout

if sys.argv[1:] == ["tcp"]:
    k3portlock.portlock.OS = "another"


def port(hexadecimal):
    return k3portlock.portlock.str_to_addr(bytes.fromhex(hexadecimal).decode())[1]


def ready():
    return "ready"


def turns(name, folder, seconds, hold, pause):
    """As `take_turns` in tests/interop/tcp.rs."""
    lock = Portlock(name, timeout=1)
    inside = os.path.join(folder, "inside")
    start, taken, timeouts = time.monotonic(), 0, 0
    while time.monotonic() - start < float(seconds):
        try:
            lock.acquire()
        except PortlockTimeout:
            timeouts += 1
            continue
        os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
        time.sleep(float(hold))
        os.remove(inside)
        lock.release()
        taken += 1
        time.sleep(float(pause))
    return f"{taken} {timeouts}"


def contend(name, path, rounds):
    lock = Portlock(name, timeout=60, sleep_time=0.0002)
    for _ in range(int(rounds)):
        with lock:
            with open(path) as file:
                count = int(file.read())
            with open(path, "w") as file:
                file.write(str(count + 1))
    return "done"


def acquire(name, timeout):
    locks[name] = Portlock(name, timeout=float(timeout))
    try:
        locks[name].acquire()
        return "acquired"
    except PortlockTimeout:
        return "timeout"


def release(name):
    locks.pop(name).release()
    return "released"


locks = {}
commands = {
    "acquire": acquire,
    "contend": contend,
    "port": port,
    "ready": ready,
    "release": release,
    "turns": turns,
}
for line in sys.stdin:
    command, *arguments = line.split()
    print(commands[command](*arguments), flush=True)
