#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of nw-stats --json against plain ones of the same table: stats_oracle.py TABLE.csv RUN.json. Every figure has to lie
within its own error of the plain one. Prints how many it compared."""
import csv
import datetime
import json
import statistics
import sys

ROUNDING = 1e-12  # of the plain figure: a double's


def number(text):
    """A cell's number, a date in days; None if it is missing."""
    if text == "":
        return None
    try:
        return float(text)
    except ValueError:
        return float((datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days)


def ordinal(value):
    return number(value) if isinstance(value, str) else value


def is_in(cell, text):
    if cell is None or text == "":
        return cell is None and text == ""
    if isinstance(cell, list):
        return cell[0] <= (text if isinstance(cell[0], str) else float(text)) <= cell[1]
    return str(cell) == text


class Oracle:
    """Plain figures of one table; each is computed once."""

    def __init__(self, path):
        with open(path) as table:
            self.rows = list(csv.DictReader(table))
        self.known = {}

    def group(self, query, key):
        if query["by"] is None:
            return self.rows
        return [r for r in self.rows if (r[query["by"]] or None) == (key if key is None else str(key))]

    def values(self, query, key):
        at = (query["query"], str(key), "values")
        if at not in self.known:
            values = [v for v in (number(r[query["column"]]) for r in self.group(query, key)) if v is not None]
            if " in " in query["query"]:
                low, high = (float(x) for x in query["query"].split(" in ")[1].split(")")[0].split(",")[0].split(".."))
                values = [min(max(v, low), high) for v in values]
            self.known[at] = sorted(values)
        return self.known[at]

    def plain(self, query, figure):
        """None: undefined."""
        at = (query["query"], str(figure.get("key")), str(figure.get("cell")))
        if at not in self.known:
            self.known[at] = self.compute(query, figure)
        return self.known[at]

    def compute(self, query, figure):
        chosen = self.group(query, figure.get("key"))
        if query["figure"] == "count":
            return len(chosen)
        if query["figure"] == "hist":
            return sum(is_in(figure["cell"], r[query["column"]]) for r in chosen)
        values = self.values(query, figure.get("key"))
        if query["figure"] == "sum":
            return sum(values)
        if not values:
            return None
        return statistics.fmean(values) if query["figure"] == "mean" else statistics.pvariance(values)

    def ranks_off(self, query, figure):
        """Records between the chosen value and the wanted rank, or the end."""
        values = self.values(query, figure.get("key"))
        below = sum(v < ordinal(figure["value"]) for v in values)
        upto = sum(v <= ordinal(figure["value"]) for v in values)
        if query["figure"] == "min":
            return below
        if query["figure"] == "max":
            return len(values) - upto
        if query["figure"] == "quantiles":
            rank = figure["rank"]
        else:
            rank = float(query["query"].split(",")[1].split(")")[0]) if query["query"].startswith("quantile") else 0.5
        return max(0, below - rank * len(values), rank * len(values) - upto)

    def is_right(self, query, figure):
        """None if there is nothing to compare."""
        if "rank_error" in figure:
            return self.ranks_off(query, figure) <= figure["rank_error"]
        wanted = self.plain(query, figure)
        if wanted is None or figure["value"] is None:
            return None
        return abs(figure["value"] - wanted) <= figure["error"] + ROUNDING * abs(wanted)


def main():
    oracle = Oracle(sys.argv[1])
    with open(sys.argv[2]) as run:
        queries = json.load(run)["queries"]
    checked = 0
    for query in queries:
        for figure in query["figures"]:
            is_right = oracle.is_right(query, figure)
            assert is_right is not False, (query["query"], figure, oracle.known)
            checked += is_right is not None
        if query["figure"] == "hist" and query["by"] is None:
            assert abs(sum(f["value"] for f in query["figures"]) - len(oracle.rows)) <= 60, query
    print(checked)


if __name__ == "__main__":
    main()
