#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""The part of docs/style.md that a machine can see: SPDX lines, lengths of lines, functions and files, blanks, and names of
folders and hosts that only one machine knows."""
import re
from check import project_files, read, run

CODE = (".c", ".h")
SOURCES = CODE + (".py", ".sh", ".in", ".cmake", "meson.build", "meson_options.txt", "CMakeLists.txt")
TEXTS = SOURCES + (".md", ".bib", ".cff", ".1", ".json", ".yml")
MAX_LINE = 130
MAX_FUNCTION = 80
MAX_FILE = 600
# Built from pieces, so that this file does not hold them itself.
FOREIGN = re.compile("/" + r"work/|/tmp/" + r"wt\b|/home/\w|\bde" + r"b\.debian\.org|\bpypi" + r"\.org|files\.python" + "hosted")


def check_code(name, lines):
    found = []
    if not lines or "SPDX-FileCopyrightText" not in lines[0]:
        found.append(f"{name}:1: no SPDX-FileCopyrightText line")
    if len(lines) > MAX_FILE:
        found.append(f"{name}: {len(lines)} lines, at most {MAX_FILE}")
    start = 0
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start - 1 > MAX_FUNCTION:
                found.append(f"{name}:{start}: a function of {number - start - 1} lines, at most {MAX_FUNCTION}")
            start = 0
    return found


def check_lines(name, lines, limit):
    found = []
    for number, line in enumerate(lines, 1):
        if len(line) > limit:
            found.append(f"{name}:{number}: {len(line)} columns, at most {limit}")
        if "\t" in line:
            found.append(f"{name}:{number}: a tab")
        if line != line.rstrip():
            found.append(f"{name}:{number}: trailing blanks")
        if FOREIGN.search(line):
            found.append(f"{name}:{number}: names a folder or host of one machine")
    return found


def check(root):
    found = []
    for path in project_files(root, TEXTS):
        name = str(path.relative_to(root))
        if name.startswith(("tests/vectors/", "tests/data/", "datasets/")) and not name.endswith(SOURCES):
            continue  # data, checked by those who read it
        text = read(path)
        lines = text.splitlines()
        found += check_lines(name, lines, MAX_LINE if name.endswith(SOURCES) else 10000)
        if text and not text.endswith("\n"):
            found.append(f"{name}: no newline at the end")
        if name.endswith(SOURCES) and not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:4]):
            found.append(f"{name}: no SPDX-License-Identifier in the first lines")
        if name.endswith(CODE):
            found += check_code(name, lines)
    return found


HEAD = "/* SPDX-FileCopyrightText: 2026 the Noisewright authors\n * SPDX-License-Identifier: Apache-2.0 */\n"
CLEAN = {"lib/a.c": HEAD + "int f(void)\n{\n    return 1;\n}\n"}
FAULTS = {
    "missing_licence": {"lib/b.c": "int x;\n"},
    "long_line": {"lib/b.c": HEAD + "/*" + "x" * MAX_LINE + "*/\n"},
    "long_function": {"lib/b.c": HEAD + "int f(void)\n{\n" + "    ;\n" * (MAX_FUNCTION + 1) + "}\n"},
    "long_file": {"lib/b.c": HEAD + "int x;\n" * MAX_FILE},
    "tab": {"lib/b.c": HEAD + "\tint x;\n"},
    "trailing_blank": {"README.md": "text \n"},
    "missing_last_newline": {"lib/b.c": HEAD + "int x;"},
    "machine_folder": {"README.md": "see /" + "work/data\n"},
    "package_host": {"setup.sh": "# SPDX-License-Identifier: Apache-2.0\ncurl de" + "b.debian.org\n"},
}

if __name__ == "__main__":
    run("check_style", check, CLEAN, FAULTS)
