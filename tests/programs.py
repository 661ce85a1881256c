#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""Prints the targets of a build folder that the tests of a suite run:
`meson introspect FOLDER --tests | programs.py FOLDER SUITE`.
"""
import json
import os
import sys


def main(folder, suite):
    root = os.path.realpath(folder)
    tests = [t for t in json.load(sys.stdin) if suite in (name.split(":")[-1] for name in t["suite"])]
    words = {os.path.relpath(w, root) for t in tests for w in t["cmd"] if w.startswith(root + os.sep)}
    print("\n".join(sorted(words)))


main(*sys.argv[1:])
