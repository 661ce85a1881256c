#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""The report of a run, made again from what is public: report_oracle.py REPORT.html MEASUREMENTS SYNTH.csv [REAL.csv].

Every number of the page has to be one that the measurements and the synthetic table give: the tables cell by cell, the bars and
dots of the pictures by their places, and of the text nothing but a few known quantities. With REAL.csv no true count of a value,
of a pair of values or of records that is at least 1000 may stand anywhere in the page, and no true share. Prints how many numbers
were compared, at least 200. Columns are of short form: a code is a cell."""
import collections
import csv
import html
import itertools
import json
import math
import re
import struct
import sys

page_path, measured_path, synth_path = sys.argv[1:4]
with open(page_path, encoding="utf-8") as f:
    page = f.read()
with open(measured_path, "rb") as f:
    data = f.read()
head, _, rest = data.partition(b"\n")
head = json.loads(head)
names = [c["name"] for c in head["columns"]]
cells = [c["cells"] for c in head["columns"]]
with open(synth_path, newline="") as f:
    rows = [tuple(int(r[n]) for n in names) for r in csv.DictReader(f)]

at = 0
measured = {}
for m in head["measured"]:
    n = math.prod(cells[j] for j in m["columns"])
    measured[tuple(m["columns"])] = (struct.unpack("<%dq" % n, rest[at:at + 8 * n]), m["sigma"])
    at += 8 * n


def estimate():
    """Records by the noisy totals, weighted by their precision."""
    weights = {s: 1 / (len(y) * sigma ** 2) for s, (y, sigma) in measured.items()}
    total = sum(weights[s] * sum(measured[s][0]) for s in measured)
    return max(1.0, total / sum(weights.values())), sum(weights.values()) ** -0.5


records, records_error = (head["rows"], 0.0) if head["rows"] is not None else estimate()
checked = 0


def near(got, wanted, digits=5):
    global checked
    assert abs(float(got) - wanted) <= 0.51 * 10 ** -digits + 1e-9 * abs(wanted), (got, wanted)
    checked += 1


def counts_of(s):
    c = collections.Counter(tuple(r[j] for j in s) for r in rows)
    return [c[x] for x in itertools.product(*(range(cells[j]) for j in s))]


def expected_error(s):
    """The noise moves each share by sqrt(2 / pi) sigma / records, and half of all that is the distance."""
    y, sigma = measured[s]
    return min(1.0, len(y) * sigma / (math.sqrt(2 * math.pi) * records))


# ---- columns: tables, then pictures ----
figures = re.findall(r"<figure>(.*?)</figure>", page, re.S)
assert len(figures) == len(names), len(figures)
for j, figure in enumerate(figures):
    y, sigma = measured[(j,)]
    s = counts_of((j,))
    assert html.unescape(re.search(r"<h3>(.*?)</h3>", figure).group(1)) == names[j]
    wanted = [(str(v), y[v] / records, sigma / records, s[v] / len(rows)) for v in range(cells[j])]
    table = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", figure)
    assert [t[0] for t in table] == [w[0] for w in wanted]
    for got, want in zip(table, wanted):
        for g, w in zip(got[1:], want[1:]):
            near(g, w)
    low = min([0.0] + [w[1] - 2 * w[2] for w in wanted])
    high = max([1e-9] + [max(w[3], w[1] + 2 * w[2]) for w in wanted])

    def x(share):
        return 134 + 210 * (share - low) / (high - low)
    bars = re.findall(r'<rect class="synthetic" x="(.*?)" y=".*?" width="(.*?)"', figure)
    dots = re.findall(r'<circle class="noisy" cx="(.*?)"', figure)
    lines = re.findall(r'<path class="noisy" d="M(\S+) \S+H(\S+)"', figure)
    percents = re.findall(r'<text class="quiet" .*?>(\S+) %</text>', figure)
    assert len(bars) == len(dots) == len(lines) == len(percents) == len(wanted)
    for w, bar, dot, line, percent in zip(wanted, bars, dots, lines, percents):
        near(bar[0], x(0), 1)
        near(bar[1], x(w[3]) - x(0), 1)
        near(dot, x(w[1]), 1)
        near(line[0], x(w[1] - 2 * w[2]), 1)
        near(line[1], x(w[1] + 2 * w[2]), 1)
        near(percent, 100 * w[3], 1)
    caption = re.search(r"<figcaption>(\d+) cells, noise (\S+) records each, expected error (\S+); synthetic from noisy (\S+)</",
                        figure).groups()
    near(caption[0], cells[j])
    near(caption[1], float("%.4g" % sigma))
    near(caption[2], expected_error((j,)), 4)
    near(caption[3], sum(abs(w[3] - w[1]) for w in wanted) / 2, 4)

# ---- pairs ----
pairs = {}
for s, (y, sigma) in measured.items():
    if len(s) == 2:
        squares = [((c * records / len(rows) - v) / sigma) ** 2 for c, v in zip(counts_of(s), y)]
        pairs["%s and %s" % tuple(names[j] for j in s)] = (len(y), sigma, expected_error(s), math.sqrt(sum(squares) / len(y)))
table = re.findall(r"<tr><td>([^<]*? and [^<]*?)</td><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", page)
assert sorted(html.unescape(t[0]) for t in table) == sorted(pairs)
for name, *got in table:
    want = pairs[html.unescape(name)]
    near(got[0], want[0])
    near(got[1], float("%.4g" % want[1]))
    near(got[2], want[2], 4)
    near(got[3], want[3], 4)
titles = re.findall(r"<title>(.*? and .*?): (.*?)</title>", page)
assert len(titles) == 2 * len(pairs)
for name, got in titles:
    near(got, pairs[html.unescape(name)][3], 2)

# ---- the rest: no number but known ones ----
text = re.sub(r"<(style|svg|title|h3|table|figcaption)\b.*?</\1>", " ", page, flags=re.S)
text = html.unescape(re.sub(r"<[^>]*>", " ", text))
known = {"%d" % len(rows), "%d" % len(names), "%d" % len(pairs), "%d" % len(measured), "%.0f" % records,
         "%.1f" % records_error, "1", "0.05", "0.2", "0"}
known |= {"%d" % k for k in range(len(pairs) + 1)}  # how many marginals are within an error
known |= set(re.findall(r"\d[\d.e-]*", " ".join(re.findall(r"epsilon \S+ at delta \S+|epsilon \S+ delta \S+", text))))
text = re.sub(r"[0-9a-f]{64}|head\s+\d+:[0-9a-f]+|\d+ sweeps, \d+ chains|\d+\.\d+\.\d+", " ", text)
for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.]*\d)", text):
    assert number in known, number
    checked += 1

if len(sys.argv) > 4:
    with open(sys.argv[4], newline="") as f:
        real = [tuple(r[n] for n in names) for r in csv.DictReader(f)]
    numbers = set(re.findall(r"\d+(?:\.\d+)?", re.sub(r"<style>.*?</style>|[0-9a-f]{64}", "", page)))
    true = {len(real)}
    for k in (1, 2):
        for s in itertools.combinations(range(len(names)), k):
            true |= set(collections.Counter(tuple(r[j] for j in s) for r in real).values())
    true = {c for c in true if c >= 1000}
    assert len(true) > 20, len(true)
    for c in true:
        assert str(c) not in numbers, c
        for digits in (3, 4, 5, 6):
            # A share of few digits may be a noisy or a synthetic one by chance; at five it is not.
            assert digits < 5 or "%.*f" % (digits, c / len(real)) not in numbers, c
    checked += len(true)
assert checked >= 200, checked
print(checked)
