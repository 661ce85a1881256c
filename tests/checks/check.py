# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""What the checks of this folder share.

A check is a function that takes a folder and returns a list of violations. `run` applies it to the project, and then to a small
tree in which faults are planted, one at a time: a check that does not find a fault fails as well.
"""
import os
import sys
import tempfile
from pathlib import Path

SOURCE_ROOT = Path(__file__).resolve().parents[2]


def project_files(root, suffixes=None, folders=(".",)):
    """The project's own files, sorted; build folders and hidden folders other than .ci are left out."""
    found = []
    for folder in folders:
        for path, names, files in os.walk(root / folder):
            names[:] = [n for n in names if not n.startswith("build") and n != "__pycache__" and (n[0] != "." or n == ".ci")]
            found += [Path(path) / f for f in files if suffixes is None or f.endswith(tuple(suffixes))]
    return sorted(set(found))


def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


class Tap:
    """Prints TAP as it goes; `finish` gives the exit code."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def case(self, name, violations):
        self.count += 1
        self.failed += bool(violations)
        print(f"{'not ok' if violations else 'ok'} {self.count} - {name}")
        for violation in violations:
            print(f"# {violation}")

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def finish(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0


def planted(check, files):
    """The violations that `check` finds in a folder that holds only `files`, a dict from path to text."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return check(Path(folder))


def run(name, check, clean, faults):
    """Applies `check` to the project, to the clean planted folder, and to each fault added to it."""
    tap = Tap()
    tap.case(f"{name}__finds_nothing_in_the_project", check(SOURCE_ROOT))
    tap.case(f"{name}__accepts_a_clean_tree", planted(check, clean))
    for fault, files in faults.items():
        found = planted(check, {**clean, **files})
        tap.case(f"{name}__finds_{fault}", [] if found else ["the planted fault was not found"])
    sys.exit(tap.finish())
