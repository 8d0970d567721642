#!/usr/bin/env python3
"""Runs the test binaries of one target, and writes down what came of them.

    run.py TARGET CARGO_MESSAGES RESULTS LEFT_OUT KIND…

CARGO_MESSAGES is what `cargo test --no-run --message-format=json` said, by which the binaries are found. RESULTS gets a line
for the table, and the reasons of what was left out. LEFT_OUT says which tests are not run on targets of which KIND (see there).

Each test of a binary has a result: passed, failed, or skipped, because it is left out here or says so itself ("skipped:
…"). A test that fails is tried a second time, alone: emulated and on a busy machine some are too late. Those that pass then
are counted apart. Each binary has a time (LOCKATTR_PORTABILITY_MINUTES, 20 by default), after which its tests without a
result have failed.
"""

import collections
import fnmatch
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

# Does nothing but where a test has started it.
ROLE = "role"
RESULT = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. (ok|FAILED|ignored.*)$", re.M)
OUTPUT = re.compile(r"^---- (\S+) stdout ----\n(.*?)(?=^---- |^failures:$|^successes:$|\Z)", re.M | re.S)
# In a reason's place: run with another environment.
VARIABLE = re.compile(r"(LOCKATTR_\w+)=(\S*),")
SKIPPED = re.compile(r"^skipped: (.*)$", re.M)


def binaries(messages):
    """What to run: the package's folder, the binary's name, its path."""
    for line in open(messages):
        message = json.loads(line)
        if message.get("reason") == "compiler-artifact" and message["profile"]["test"] and message["executable"]:
            folder = os.path.dirname(message["manifest_path"])
            package = os.path.basename(folder) if "lockattr-" in os.path.basename(folder) else "lockattr"
            kind = message["target"]["kind"][0]
            name = f"{package}/{message['target']['name']}" if kind == "test" else f"{package}/{kind}"
            yield folder, name, message["executable"]


def left_out(path, kinds):
    """For these kinds of target: a pattern of binaries, one of tests, and the reason."""
    for line in open(path):
        if line.strip() and not line.startswith("#"):
            kind, binary, test, reason = (field.strip() for field in line.split("|", 3))
            if kind in kinds:
                yield binary, test, reason


class Target:
    def __init__(self, rules, minutes):
        self.rules, self.seconds = rules, minutes * 60
        self.ran = self.passed = self.again = 0
        self.failed, self.skipped = [], collections.Counter()

    def run(self, folder, name, path):
        """All tests of a binary."""
        listed = self.call(folder, [path, "--list"])[0]
        tests = [line.rsplit(": ", 1)[0] for line in listed.splitlines() if line.endswith(": test")]
        wanted, otherwise = [], {}
        for test in tests:
            reasons = [reason for binary, pattern, reason in self.rules
                       if fnmatch.fnmatch(name, binary) and fnmatch.fnmatch(test, pattern)]
            variable = VARIABLE.match(reasons[0]) if reasons else None
            if test == ROLE:
                continue
            if variable:
                otherwise[test] = {variable.group(1): variable.group(2)}
                print(f"  {name}: {test}: with {reasons[0]}")
            elif reasons:
                self.skipped[reasons[0]] += 1
                print(f"  {name}: {test}: left out, because {reasons[0]}")
            else:
                wanted.append(test)
        results, said, fails, output, is_over = {}, {}, [], "", False
        if wanted:
            without = [word for test in tests if test not in wanted for word in ("--skip", test)]
            output, is_over = self.call(folder, [path, "--exact", "--show-output", *without])
        for test, variables in otherwise.items():
            output += self.call(folder, [path, "--exact", "--show-output", test], variables)[0]
        wanted += otherwise
        if not wanted:
            return
        results.update(RESULT.findall(output))
        said.update(OUTPUT.findall(output))
        for test in wanted:
            result = results.get(test, "without a result")
            own_words = SKIPPED.search(said.get(test, ""))
            if result.startswith("ignored"):
                self.skipped["ignored"] += 1
            elif result == "ok" and own_words:
                self.skipped[own_words.group(1)] += 1
                print(f"  {name}: {test}: skipped: {own_words.group(1)}")
            elif result == "ok":
                self.ran, self.passed = self.ran + 1, self.passed + 1
            else:
                self.ran += 1
                fails.append((test, result))
        print(f"  {name}: {len(wanted) - len(fails)} of {len(wanted)} ended well" + (", out of time" if is_over else ""), flush=True)
        if fails:
            print(output)
        for test, result in fails:
            alone = [path, "--exact", "--show-output", "--test-threads=1", test]
            second, _ = self.call(folder, alone, otherwise.get(test, {}))
            if re.search(r"^test result: ok\. 1 passed", second, re.M):
                self.again += 1
                print(f"  {name}: {test}: {result}, and passed at a second try, alone", flush=True)
            else:
                self.failed.append(f"{name}: {test}")
                print(second)
                print(f"  {name}: {test}: {result}, twice", flush=True)

    def call(self, folder, command, variables={}):
        """What it says, and whether it was ended because its time was over. What it leaves running is ended."""
        # A file, as a pipe would not end before all that has a copy of it.
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(command, cwd=folder, process_group=0, stdin=subprocess.DEVNULL,
                                       env={**os.environ, **variables}, stdout=output, stderr=subprocess.STDOUT)
            try:
                process.wait(self.seconds)
                is_over = False
            except subprocess.TimeoutExpired:
                is_over = True
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
            output.seek(0)
            return output.read().decode(errors="replace"), is_over


def main():
    target, messages, results, rules, *kinds = sys.argv[1:]
    found = sorted(binaries(messages), key=lambda binary: binary[1])
    only = os.environ.get("LOCKATTR_PORTABILITY_ONLY")
    run = Target(list(left_out(rules, kinds)), float(os.environ.get("LOCKATTR_PORTABILITY_MINUTES", "20")))
    for folder, name, path in found:
        if not only or fnmatch.fnmatch(name, only):
            run.run(folder, name, path)
    skipped = sum(run.skipped.values())
    with open(results, "w") as file:
        print(f"{target:<44} {run.ran:>5} {run.passed:>7} {run.again:>7} {len(run.failed):>7} {skipped:>8}", file=file)
        for failure in run.failed:
            print(f"    FAILED {failure}", file=file)
        for reason, count in run.skipped.most_common():
            print(f"    skipped: {count}, because {reason}", file=file)
    if run.failed or not run.ran:
        sys.exit(1)


main()
