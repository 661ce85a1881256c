#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""The table of mutants in docs/audits.md has the rows of tests/stat/stat_mutants.c, in their order."""
import re
from check import read, run

MUTANT = re.compile(r'^    \{ "([^"]+)", "([^"]+)", \w+,', re.MULTILINE)
ROW = re.compile(r"^\| (.+) \| (.+) \|$", re.MULTILINE)
HEADING = "| fault | killed by |\n|---|---|\n"


def check(root):
    planted = MUTANT.findall(read(root / "tests/stat/stat_mutants.c"))
    _, heading, table = read(root / "docs/audits.md").partition(HEADING)
    if not heading or not planted:
        return ["no table of mutants"]
    listed = ROW.findall(table.split("\n\n")[0] + "\n")
    found = [f"docs/audits.md lacks: {fault} ({test})" for fault, test in planted if (fault, test) not in listed]
    found += [f"docs/audits.md lists what is not planted: {fault} ({test})" for fault, test in listed
              if (fault, test) not in planted]
    if not found and listed != planted:
        found.append("docs/audits.md lists the mutants in another order, or one twice")
    return found


CODE = """static const mutant mutants[] = {
    { "noise x 0", "audit", f__is_seen, &a },
    { "clip", "law", f__is_seen, NULL },
};
"""
DOCUMENT = "# Mutants\n\n" + HEADING + "| noise x 0 | audit |\n| clip | law |\n\nText.\n"
CLEAN = {"tests/stat/stat_mutants.c": CODE, "docs/audits.md": DOCUMENT}
FAULTS = {
    "missing_row": {"docs/audits.md": DOCUMENT.replace("| clip | law |\n", "")},
    "row_of_nothing": {"docs/audits.md": DOCUMENT.replace("| clip", "| NaN | law |\n| clip")},
    "other_test": {"docs/audits.md": DOCUMENT.replace("| law |", "| audit |")},
    "other_order": {"docs/audits.md": "# Mutants\n\n" + HEADING + "| clip | law |\n| noise x 0 | audit |\n"},
    "no_table": {"docs/audits.md": "# Mutants\n"},
}

if __name__ == "__main__":
    run("check_mutants", check, CLEAN, FAULTS)
