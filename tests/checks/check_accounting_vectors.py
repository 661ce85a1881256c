#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""Every entry of a reference table through `nw-account query --json --lines -`: the certified interval must meet the entry's own,
and the upper end must be close to the truth. Prints one TAP line an entry.

usage: check_accounting_vectors.py NW_ACCOUNT TABLE.json..."""
import json
import math
import subprocess
import sys

EPSILON_CLOSE = 1e-4  # absolute
DELTA_CLOSE = 1e-3  # relative
WIDTH = 1e-3  # of the interval, in epsilon (relative for delta)


def judge(entry, answer):
    """The reasons why an answer is wrong."""
    if "error" in answer:
        return [answer["error"]]
    low, high = entry["bound"]
    upper = math.inf if answer["upper"] is None else answer["upper"]
    lower, wrong = answer["lower"], []
    truth = entry.get("truth")
    kind = entry["query"].get("kind")
    if low is not None and upper < low:
        wrong.append(f"upper {upper!r} < {low!r}")
    if lower is not None and high is not None and lower > high:
        wrong.append(f"lower {lower!r} > {high!r}")
    if truth is not None:
        excess = (upper - truth) / truth if kind == "delta" and truth > 0 else upper - truth
        if excess > (DELTA_CLOSE if kind == "delta" else EPSILON_CLOSE):
            wrong.append(f"upper is {excess:.3g} above the truth {truth!r}")
        if entry["kind"] == "composition":
            width = (upper - lower) / truth if kind == "delta" and truth > 0 else upper - lower
            if width > WIDTH:
                wrong.append(f"width {width:.3g}")
    return wrong


def main():
    tool, tables = sys.argv[1], sys.argv[2:]
    entries = [e for t in tables for e in json.load(open(t, encoding="utf-8"))["entries"]]
    lines = "".join(json.dumps(e) + "\n" for e in entries)
    done = subprocess.run([tool, "query", "--json", "--lines", "-"], input=lines, capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    print(f"1..{len(entries)}")
    if len(answers) != len(entries):
        print(f"not ok - {len(answers)} answers to {len(entries)} entries {done.stderr}")
        return 1
    failed = 0
    for i, (entry, answer) in enumerate(zip(entries, answers), 1):
        wrong = judge(entry, answer)
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {i} - {entry['id']} {answer.get('method')} {answer.get('seconds', 0):.3f} s"
              + (" # " + "; ".join(wrong) if wrong else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
