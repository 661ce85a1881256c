#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""Counts the tests in meson's logs and prints the closing line "N passed, N failed, N skipped".

A program that speaks TAP counts one for each of its tests; any other program counts one. Fails if a test failed, if a log is
missing, if nothing passed, or if the exit code handed over with --exit-code is not 0.
"""
import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path

TAP_LINE = re.compile(r"^(not )?ok\b(?:\s+\d+)?(.*)$")
SKIP = re.compile(r"#\s*skip", re.IGNORECASE)
GOOD = {"OK", "EXPECTEDFAIL"}


def count_tap(output):
    """The tests of one program's TAP output."""
    counts = Counter()
    for line in output.splitlines():
        match = TAP_LINE.match(line)
        if match:
            kind = "skipped" if SKIP.search(match[2]) else "failed" if match[1] else "passed"
            counts[kind] += 1
    return counts


def count_program(entry):
    """The tests of one entry of testlog.json, which names the program's own result."""
    counts = count_tap(entry.get("stdout") or "")
    if not counts:
        kind = "passed" if entry["result"] in GOOD else "skipped" if entry["result"] == "SKIP" else "failed"
        counts[kind] = 1
    elif entry["result"] not in GOOD | {"SKIP"} and counts["failed"] == 0:
        counts["failed"] = 1  # it crashed, ran out of time, or broke its plan
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exit-code", type=int, default=0, help="of the run that wrote the logs")
    parser.add_argument("logs", nargs="+", type=Path)
    arguments = parser.parse_args()

    total = Counter()
    problems = []
    for log in arguments.logs:
        if not log.exists():
            problems.append(f"{log}: no test ran")
            continue
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            entry = json.loads(line)
            counts = count_program(entry)
            if counts["failed"]:
                problems.append(f"{entry['name']}: {entry['result']}")
            total += counts
    if arguments.exit_code != 0 and not problems:
        problems.append(f"the test run ended with exit code {arguments.exit_code}")
    if total["passed"] == 0:
        problems.append("nothing passed")
    if problems:
        total["failed"] = max(total["failed"], 1)
    for problem in problems:
        print(f"FAILED {problem}", file=sys.stderr)
    sys.stderr.flush()
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped", flush=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
