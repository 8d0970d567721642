"""Plays a k3portlock user for tests/interop/portlock.rs: one command a line, one answer a line."""

import sys

from k3portlock import Portlock, PortlockTimeout


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
commands = {"contend": contend, "acquire": acquire, "release": release}
for line in sys.stdin:
    command, *arguments = line.split()
    print(commands[command](*arguments), flush=True)
