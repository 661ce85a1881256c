#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""What nw-synth score --json says, computed apart: score_oracle.py REAL.csv SYNTH.csv SCHEMA.json BINS SCORE.json. Marginal
distances and KS must agree to rounding. W1 is the area between the quantile functions here. Query errors are random: the averages
of other random queries of the same families have to be near. Prints how many figures were compared."""
import bisect
import collections
import csv
import datetime
import itertools
import json
import math
import random
import statistics
import sys

real_path, synth_path, schema_path, bins, score_path = sys.argv[1:]
bins = int(bins)
with open(schema_path) as f:
    schema = json.load(f)
with open(score_path) as f:
    score = json.load(f)
names = list(schema)
EPOCH = datetime.date(1970, 1, 1)


def kind(name):
    return "code" if isinstance(schema[name], int) else schema[name]["type"]


def days(text):
    return (datetime.date.fromisoformat(text) - EPOCH).days


def value(name, text):
    if text == "":
        return None
    if kind(name) == "date":
        return days(text)
    return float(text) if kind(name) in ("int", "float") else text


def read(path):
    with open(path) as f:
        return [{n: value(n, r[n]) for n in names} for r in csv.DictReader(f)]


real, synth = read(real_path), read(synth_path)
numeric = [n for n in names if kind(n) in ("int", "float", "date")]
categories = [n for n in names if n not in numeric]
present = {n: sorted(r[n] for r in real if r[n] is not None) for n in names if n in numeric}
edges = {n: sorted({v[math.ceil(len(v) * i / bins) - 1] for i in range(1, bins)}) for n, v in present.items()}


def cell(name, x):
    return x if name in categories or x is None else bisect.bisect_left(edges[name], x)


def variation(columns):
    a, b = (collections.Counter(tuple(cell(n, r[n]) for n in columns) for r in t) for t in (real, synth))
    return sum(abs(a[c] / len(real) - b[c] / len(synth)) for c in a.keys() | b.keys()) / 2


def near(got, wanted, tolerance=1e-12):
    assert abs(got - wanted) <= tolerance, (got, wanted)
    return 1


scored = score["scores"][0]
checked = 0
for k in (1, 2, 3):
    all_sets = {s: variation(s) for s in itertools.combinations(names, k)}
    figures = scored["tv%d" % k]
    assert figures["used"] == figures["of"] == len(all_sets)
    checked += near(figures["average"], statistics.mean(all_sets.values()))
    checked += near(figures["max"], max(all_sets.values())) if all_sets else 0
    checked += near(all_sets[tuple(figures["max_at"])], figures["max"])


def quantile_area(a, b, grid=200000):
    at = [(i + 0.5) / grid for i in range(grid)]
    return statistics.fmean(abs(a[int(t * len(a))] - b[int(t * len(b))]) for t in at)


assert [c["column"] for c in scored["numeric"]] == numeric
for c in scored["numeric"]:
    name = c["column"]
    a = present[name]
    b = sorted(r[name] for r in synth if r[name] is not None)
    ks = max(abs(bisect.bisect_right(a, x) / len(a) - bisect.bisect_right(b, x) / len(b)) for x in a + b)
    checked += near(c["ks"], ks)
    low, high = (value(name, str(schema[name][k])) for k in ("lower", "upper"))
    checked += near(c["w1"], quantile_area(a, b) / (high - low), 1e-4)

# ---- queries of the same families, drawn by another generator ----
random.seed(1)
moments = {n: (statistics.fmean(v), statistics.pstdev(v)) for n, v in present.items()}


def labels(name):
    if kind(name) == "code":
        return [str(i) for i in range(schema[name])]
    return ["false", "true"] if kind(name) == "bool" else schema[name]["values"]


def category():
    c = random.choice(categories)
    v = random.choice(labels(c))
    return lambda r: r[c] == v


def prefix():
    in_category, pair = category(), random.sample(numeric, 2)
    ends = [random.choice(real)[n] for n in pair]
    return lambda r: in_category(r) and all(None not in (r[n], e) and r[n] <= e for n, e in zip(pair, ends))


def half_space():
    in_category = category()
    theta = {n: random.gauss(0, 1) for n in numeric}

    def project(r):
        return sum(theta[n] * (r[n] - moments[n][0]) / moments[n][1] for n in numeric if r[n] is not None)
    b = project(random.choice(real))
    return lambda r: in_category(r) and project(r) > b


def conjunction():
    columns = random.sample(names, 3)
    ends = [(random.choice(real)[n], random.choice(real)[n]) for n in columns]

    def holds(n, x, two):
        if n in categories:
            return x == two[0]
        if None in two:
            return two == (None, None) and x is None
        return x is not None and min(two) <= x <= max(two)
    return lambda r: all(holds(n, r[n], two) for n, two in zip(columns, ends))


for family in (prefix, half_space, conjunction):
    errors = []
    for _ in range(1500):
        q = family()
        errors.append(abs(sum(map(q, real)) / len(real) - sum(map(q, synth)) / len(synth)))
    got = scored[family.__name__]
    # Two independent averages: within six of the standard error of their difference.
    error = math.sqrt(statistics.pvariance(errors) * (1 / len(errors) + 1 / got["used"]))
    checked += near(got["average"], statistics.fmean(errors), 6 * error)
    assert got["max"] >= got["average"] > 0
print(checked)
