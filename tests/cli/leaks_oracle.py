#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""What the outputs of nw-synth know of the real table. Columns are of short form: a code is a cell.

  leaks_oracle.py noise MEASUREMENTS REAL.csv          every vector of counts has its noise: the sum of squares of what it is off
      by, in units of sigma^2 + 1/12, is within 7 standard deviations of its law, and no vector is off by 0 everywhere
  leaks_oracle.py neighbours M1 M2 REAL1.csv REAL2.csv  of runs with the same seeded noise: what the two files say differs by the
      true difference and nothing else, so the noise does not look at the table
  leaks_oracle.py plant KIND IN OUT REAL.csv            a broken twin of an output, with a true statistic in it: vector, half,
      manifest, text, comment, cell, dot, bar, desc
"""
import collections
import csv
import hashlib
import itertools
import json
import math
import re
import struct
import sys


def read_table(path, names):
    with open(path, newline="") as f:
        return [tuple(int(r[n]) for n in names) for r in csv.DictReader(f)]


def read_measurements(path):
    with open(path, "rb") as f:
        data = f.read()
    head, _, rest = data.partition(b"\n")
    head = json.loads(head)
    cells = [c["cells"] for c in head["columns"]]
    at, vectors = 0, []
    for m in head["measured"]:
        n = math.prod(cells[j] for j in m["columns"])
        vectors.append(list(struct.unpack("<%dq" % n, rest[at:at + 8 * n])))
        at += 8 * n
    return head, cells, vectors


def true_counts(head, cells, rows):
    out = []
    for m in head["measured"]:
        c = collections.Counter(tuple(r[j] for j in m["columns"]) for r in rows)
        out.append([c[x] for x in itertools.product(*(range(cells[j]) for j in m["columns"]))])
    return out


def names_of(head):
    return [c["name"] for c in head["columns"]]


def noise(path, real):
    head, cells, noisy = read_measurements(path)
    exact = true_counts(head, cells, read_table(real, names_of(head)))
    for m, y, x in zip(head["measured"], noisy, exact):
        z = sum((a - b) ** 2 for a, b in zip(y, x)) / (m["sigma"] ** 2 + 1 / 12)
        n = len(y)
        assert abs(z - n) < 7 * math.sqrt(2 * n) + 30, (m["columns"], z, n)
        assert z > 0, m["columns"]
    # all vectors together: a tenth of the noise less would show
    z = sum((a - b) ** 2 / (m["sigma"] ** 2 + 1 / 12) for m, y, x in zip(head["measured"], noisy, exact) for a, b in zip(y, x))
    n = sum(len(y) for y in noisy)
    assert abs(z - n) < 7 * math.sqrt(2 * n), (z, n)


def neighbours(first, second, real_first, real_second):
    head, cells, a = read_measurements(first)
    other, _, b = read_measurements(second)
    assert head == other, "the heads differ"
    x = true_counts(head, cells, read_table(real_first, names_of(head)))
    y = true_counts(head, cells, read_table(real_second, names_of(head)))
    for i in range(len(a)):
        assert [p - q for p, q in zip(a[i], b[i])] == [p - q for p, q in zip(x[i], y[i])], head["measured"][i]


def plant(kind, source, target, real):
    if kind in ("vector", "half"):
        head, cells, vectors = read_measurements(source)
        exact = true_counts(head, cells, read_table(real, names_of(head)))
        for i in [len(vectors) - 1] if kind == "vector" else range(len(vectors)):
            vectors[i] = exact[i] if kind == "vector" else [x + (y - x) // 2 for y, x in zip(vectors[i], exact[i])]
        with open(source, "rb") as f:
            data = f.readline() + b"".join(struct.pack("<%dq" % len(v), *v) for v in vectors)
        with open(target, "wb") as f:
            f.write(data + hashlib.blake2b(data, digest_size=32).digest())
        return
    with open(source, encoding="utf-8") as f:
        text = f.read()
    with open(real, newline="") as f:
        rows = list(csv.DictReader(f))
    if kind == "manifest":
        d = json.loads(text)
        d["measurements"][0]["records"] = len(rows)
        changed = json.dumps(d)
    else:
        name = list(rows[0])[0]
        share = collections.Counter(r[name] for r in rows)["1"] / len(rows)
        row = re.search(r"<tr><td>1</td><td>(.*?)</td>", text)
        place = "%.1f" % (134 + 210 * share * 1.7)
        changed = {
            "text": lambda: text.replace("<h2>What is protected", "<p>%d records</p><h2>What is protected" % len(rows), 1),
            "comment": lambda: text.replace("<main>", "<main><!-- %d -->" % len(rows), 1),
            "cell": lambda: text[:row.start(1)] + "%.5f" % share + text[row.end(1):],
            "dot": lambda: re.sub(r'(<circle class="noisy" cx=")[^"]*', r"\g<1>" + place, text, count=1),
            "bar": lambda: re.sub(r'(<rect class="synthetic" x="[^"]*" y="[^"]*" width=")[^"]*', r"\g<1>" + place, text, count=1),
            "desc": lambda: re.sub(r"(<desc[^>]*>)", r"\g<1>%d records. " % len(rows), text, count=1),
        }[kind]()
    assert changed != text, kind
    with open(target, "w", encoding="utf-8") as f:
        f.write(changed)


{"noise": noise, "neighbours": neighbours, "plant": plant}[sys.argv[1]](*sys.argv[2:])
