#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of nw-stats --json against plain ones of the same table: stats_oracle.py TABLE.csv RUN.json. Every figure has to lie
within eight of its own errors, and a thousandth (the middle of a bin stands for its values). Prints how many it compared."""
import csv
import datetime
import json
import statistics
import sys

with open(sys.argv[1]) as table:
    rows = list(csv.DictReader(table))
with open(sys.argv[2]) as run:
    queries = json.load(run)["queries"]


def number(row, column):
    if row[column] == "":
        return None
    if column == "since":
        return (datetime.date.fromisoformat(row[column]) - datetime.date(1970, 1, 1)).days
    return float(row[column])


def group(query, key):
    if query["by"] is None:
        return rows
    return [r for r in rows if (r[query["by"]] or None) == (key if key is None else str(key))]


def is_in(cell, row, column):
    if cell is None or row[column] == "":
        return cell is None and row[column] == ""
    if isinstance(cell, list):
        return cell[0] <= (row[column] if isinstance(cell[0], str) else float(row[column])) <= cell[1]
    return str(cell) == row[column]


def values_of(query, chosen):
    values = [v for v in (number(r, query["column"]) for r in chosen) if v is not None]
    if " in " not in query["query"]:
        return values
    low, high = (float(x) for x in query["query"].split(" in ")[1].split(")")[0].split(",")[0].split(".."))
    return [min(max(v, low), high) for v in values]


def ordinal(value):
    return value if not isinstance(value, str) else (datetime.date.fromisoformat(value) - datetime.date(1970, 1, 1)).days


def is_near_rank(query, figure):
    """The ranks that the value has come within eight rank errors (and the margin of a minimum or maximum) of the wanted one."""
    values = values_of(query, group(query, figure.get("key")))
    wanted = {"min": 0.0, "max": 1.0}.get(query["figure"], 0.5)
    if query["query"].startswith("quantile"):
        wanted = float(query["query"].split(",")[1].split(")")[0])
    below = sum(v < ordinal(figure["value"]) for v in values)
    upto = sum(v <= ordinal(figure["value"]) for v in values)
    slack = 8 * figure["rank_error"] + query.get("margin", 0) + 1
    return below - slack <= wanted * len(values) <= upto + slack


def plain(query, figure):
    chosen = group(query, figure.get("key"))
    if query["figure"] == "count":
        return len(chosen)
    if query["figure"] == "hist":
        return sum(is_in(figure["cell"], r, query["column"]) for r in chosen)
    values = values_of(query, chosen)
    if query["figure"] == "sum":
        return sum(values)
    if not values:
        return None
    return statistics.mean(values) if query["figure"] == "mean" else statistics.pvariance(values)


checked = 0
for query in queries:
    for figure in query["figures"]:
        if "rank_error" in figure:
            assert is_near_rank(query, figure), (query, figure)
            checked += 1
            continue
        wanted = plain(query, figure)
        if wanted is None:
            continue  # an empty group has no mean
        assert abs(figure["value"] - wanted) <= 8 * figure["error"] + 1e-3 * abs(wanted), (query["query"], figure, wanted)
        checked += 1
    if query["figure"] == "hist" and query["by"] is None:
        assert abs(sum(f["value"] for f in query["figures"]) - len(rows)) <= 60, query
print(checked)
