#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""Counts and means by group of a table that lies in pieces, for any engine that reduces bytes (docs/scale-out.md): workers turn
their rows into bytes, bytes merge in any order and grouping, and one place releases. ctypes of the standard library only.

usage: scale_out.py [LIBRARY [LEDGER]]      libnoisewright.so.0 by default; LEDGER was made by nw-ledger create
"""
import ctypes as c
import functools
import sys


class Error(c.Structure):
    _fields_ = [("status", c.c_int), ("function", c.c_char * 64), ("message", c.c_char * 448)]


class Query(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("kind", c.c_int), ("groups", c.c_size_t), ("lower", c.c_double),
                ("upper", c.c_double), ("weight", c.c_double), ("cells", c.c_uint32), ("rank", c.c_double)]


class Options(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("epsilon", c.c_double), ("delta", c.c_double), ("adjacency", c.c_int),
                ("share", c.c_double), ("confidence", c.c_double)]


class LedgerOptions(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("epsilon", c.c_double), ("delta", c.c_double), ("adjacency", c.c_int),
                ("filter", c.c_int), ("unit", c.c_char_p), ("order", c.c_double), ("schedule", c.c_void_p)]


class Figure(c.Structure):
    _fields_ = [("value", c.c_double), ("error", c.c_double), ("standard_error", c.c_double)]


COUNT, MEAN, ADD_REMOVE, GROUPS = 1, 3, 1, 2
nw = c.CDLL(sys.argv[1] if len(sys.argv) > 1 else "libnoisewright.so.0")
nw.nw_stats_size.restype = c.c_size_t


def check(status, err):
    if status != 0:
        raise RuntimeError(f"{err.function.decode()}: {err.message.decode()}")


class Stats:
    """An accumulator. Every worker makes it from the same options: what bounds a record is public."""

    def __init__(self):
        self.err, self.handle = Error(), c.c_void_p()
        queries, options = (Query * 2)(), Options()
        for query, kind in zip(queries, (COUNT, MEAN)):
            nw.nw_stats_query_init(c.byref(query), c.c_size_t(c.sizeof(Query)))
            query.kind, query.groups = kind, GROUPS
        queries[1].lower, queries[1].upper = 0.0, 80.0
        nw.nw_stats_opts_init(c.byref(options), c.c_size_t(c.sizeof(Options)))
        options.epsilon, options.delta, options.adjacency = 1.0, 0.0, ADD_REMOVE
        check(nw.nw_stats_new(c.byref(self.handle), queries, c.c_size_t(2), c.byref(options), c.byref(self.err)), self.err)

    def __del__(self):
        nw.nw_stats_free(self.handle)

    def add(self, rows):
        n = len(rows)
        groups, values = (c.c_uint32 * n)(*(g for g, _ in rows)), (c.c_double * n)(*(x for _, x in rows))
        for query in range(2):
            check(nw.nw_stats_add(self.handle, c.c_size_t(query), groups, values, c.c_size_t(n), c.byref(self.err)), self.err)
        return self

    def merge(self, partial):
        check(nw.nw_stats_merge_bytes(self.handle, partial, c.c_size_t(len(partial)), c.byref(self.err)), self.err)
        return self

    def bytes(self):
        out = c.create_string_buffer(nw.nw_stats_size(self.handle))
        check(nw.nw_stats_serialize(self.handle, out, c.c_size_t(len(out)), c.byref(self.err)), self.err)
        return out.raw


# What an engine is given. A partial is exact, and as secret as the rows it is made of.

def partial(rows):
    """On a worker: rows to bytes."""
    return Stats().add(list(rows)).bytes()


def merge(a, b):
    """Anywhere: associative and commutative, to the byte."""
    return Stats().merge(a).merge(b).bytes()


def finish(merged, ledger_path=None):
    """In one place, once: charges the ledger, then draws the one noise."""
    stats, err, ledger, rng = Stats().merge(merged), Error(), c.c_void_p(), c.c_void_p()
    if ledger_path is None:  # gone with the process; a file remembers what was spent
        options = LedgerOptions()
        nw.nw_ledger_opts_init(c.byref(options), c.c_size_t(c.sizeof(LedgerOptions)))
        options.epsilon, options.delta, options.adjacency = 1.0, 0.0, ADD_REMOVE
        check(nw.nw_ledger_memory(c.byref(ledger), c.byref(options), c.byref(err)), err)
    else:
        check(nw.nw_ledger_open(c.byref(ledger), ledger_path.encode(), c.byref(err)), err)
    check(nw.nw_rng_new(c.byref(rng), c.byref(err)), err)
    try:
        check(nw.nw_stats_release(stats.handle, rng, ledger, b"scale-out", None, c.byref(err)), err)
    finally:
        nw.nw_rng_free(rng)
        nw.nw_ledger_close(ledger)
    figures = []
    for query in range(2):
        for group in range(GROUPS):
            figure = Figure()
            check(nw.nw_stats_get(stats.handle, c.c_size_t(query), c.c_size_t(group), c.byref(figure), c.byref(err)), err)
            figures.append((figure.value, figure.error))
    return figures


def tree_reduce(function, items):
    """What Spark's treeReduce does: pairs, pairs of pairs, ..."""
    while len(items) > 1:
        items = [function(*items[i:i + 2]) if i + 1 < len(items) else items[i] for i in range(0, len(items), 2)]
    return items[0]


def main():
    rows = [(int(i % 3 == 0), 35.0 + 8.0 * (i % 3 == 0) + i % 7) for i in range(3000)]
    pieces = [rows[i::5] for i in range(5)]
    merged = tree_reduce(merge, [partial(p) for p in pieces])
    if not merged == functools.reduce(merge, [partial(p) for p in reversed(pieces)]) == partial(rows):
        sys.exit("the order of merging showed")
    try:
        merge(merged, merged[:-1] + bytes([merged[-1] ^ 1]))
        sys.exit("an altered partial was taken")
    except RuntimeError as refused:
        print("refused, as it has to be:", refused)
    truth = [2000, 1000] + [sum(x for g, x in rows if g == k) / sum(1 for g, _ in rows if g == k) for k in range(GROUPS)]
    for (value, error), true in zip(finish(merged, sys.argv[2] if len(sys.argv) > 2 else None), truth):
        print(f"{value:10.2f} +- {error:.2f}")
        if abs(value - true) > 2 * error:  # 99.9 % of releases lie within one
            sys.exit("a figure is far off")


if __name__ == "__main__":
    main()
