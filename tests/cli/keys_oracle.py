#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""Counts of unknown keys by nw-stats --json against plain ones of the same table: keys_oracle.py TABLE.csv RUN.json [UNIT
MAX_KEYS MAX_COUNT]. At large epsilon every count has to be the plain one within two, and every key to be there whose plain count
is far above the threshold, and none far below. Prints how many keys it compared."""
import csv
import json
import sys

with open(sys.argv[1], newline="") as table:
    rows = list(csv.DictReader(table))
with open(sys.argv[2]) as run:
    queries = json.load(run)["queries"]
unit, max_keys, max_count = (sys.argv[3], int(sys.argv[4]), int(sys.argv[5])) if len(sys.argv) > 3 else (None, 1, 1)


def plain_counts(column):
    kept = {}
    for number, row in enumerate(rows):
        user = number if unit is None else row[unit]
        if user == "" or row[column] == "":
            continue
        mine = kept.setdefault(user, {})
        if row[column] in mine or len(mine) < max_keys:
            mine[row[column]] = min(max_count, mine.get(row[column], 0) + 1)
    counts = {}
    for mine in kept.values():
        for key, count in mine.items():
            counts[key] = counts.get(key, 0) + count
    return counts


compared = 0
for query in queries:
    plain = plain_counts(query["column"])
    told = {figure["key"]: figure["value"] for figure in query["figures"]}
    assert list(told) == sorted(told, key=str.encode), f"{query['query']}: not in the order of their bytes"
    for key, count in plain.items():
        if count >= query["threshold"] + 3:
            assert key in told, f"{query['query']}: {key} with {count} is missing"
        if count < query["threshold"] - 3:
            assert key not in told, f"{query['query']}: {key} with {count} is told"
    for key, count in told.items():
        assert abs(count - plain[key]) <= 2, f"{query['query']}: {key} is {count}, not {plain[key]}"
        compared += 1
print(compared)
