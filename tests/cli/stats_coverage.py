#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""How often nw-stats is right: stats_coverage.py NW-STATS TABLE.csv SCHEMA.json RUNS SETTINGS QUERY...

One line of TAP for each of the first SETTINGS settings of epsilon, delta and neighbours: in RUNS seeded runs all figures lie
within the errors beside them, but in one of a hundred at most. 0.999 is claimed, so a true claim fails with probability 0.0046 in
100 runs. Comments tell how many figures of each kind were off. Without the table it skips."""
import collections
import json
import os
import subprocess
import sys

from stats_oracle import Oracle

SETTINGS = [("1",), ("0.1", "--delta", "1e-6"), ("0.1",), ("1", "--delta", "1e-6"), ("10",), ("10", "--delta", "1e-6"),
            ("1", "--adjacency", "replace-one"), ("1", "--delta", "1e-6", "--adjacency", "replace-one")]
TOLERATED = 0.01


def run(program, table, schema, setting, seed, queries):
    words = [program, table, "--schema", schema, "--json", "--quiet", "--insecure-seed", str(seed), "--epsilon", *setting]
    words += [word for query in queries for word in ("--query", query)]
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)


def measure(oracle, arguments, setting, runs, queries):
    """Runs with a figure off; and by kind: figures compared, off, and without a value."""
    wrong = 0
    kinds = collections.defaultdict(lambda: [0, 0, 0])
    for seed in range(1, runs + 1):
        is_right = True
        for query in run(*arguments, setting, seed, queries)["queries"]:
            counts = kinds[query["figure"] + (" by" if query["by"] else "")]
            for figure in query["figures"]:
                seen = oracle.is_right(query, figure)
                counts[0] += seen is not None
                counts[1] += seen is False
                counts[2] += figure["value"] is None
                is_right = is_right and seen is not False
        wrong += not is_right
    return wrong, kinds


def main():
    if not os.path.exists(sys.argv[2]):
        print("1..0 # SKIP skipped: no real data")
        return
    *arguments, runs, settings = sys.argv[1:6]
    queries = sys.argv[6:]
    chosen = SETTINGS[:int(settings)]
    oracle = Oracle(arguments[1])
    for i, setting in enumerate(chosen):
        wrong, kinds = measure(oracle, arguments, setting, int(runs), queries)
        compared = sum(counts[0] for counts in kinds.values())
        is_ok = wrong <= TOLERATED * int(runs) and compared > 0
        verdict = "ok" if is_ok else "not ok"
        print(f"{verdict} {i + 1} - epsilon {' '.join(setting)}: all right in {int(runs) - wrong} of {runs} runs")
        for kind, (n, off, undefined) in kinds.items():
            print(f"# {kind}: {n} figures, {off} off, {undefined} undefined", flush=True)
    print(f"1..{len(chosen)}")


if __name__ == "__main__":
    main()
