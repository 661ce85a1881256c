#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""Each public header compiles alone and without a warning: as C99, C11, C17 and C++17, and for a 32-bit machine; and each options
macro initialises its structure in C and in C++.

usage: check_headers.py COMPILER [ARGUMENT...]      the C compiler; g++ or clang++ is looked for beside it
"""
import re
import shutil
import subprocess
import sys
from check import SOURCE_ROOT, Tap, read

FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I", str(SOURCE_ROOT / "include")]
INIT = re.compile(r"#define (NW_(\w+)_OPTS_INIT)\b")


def compile_errors(command, language, text):
    result = subprocess.run([*command, *FLAGS, "-x", language, "-"], input=text, capture_output=True, text=True)
    return [] if result.returncode == 0 else (result.stderr.splitlines() or ["the compiler failed"])


def cplusplus_for(compiler):
    names = ["clang++", "g++"] if "clang" in compiler[-1] else ["g++", "clang++"]
    return next(([n] for n in names if shutil.which(n)), None)


def program(header):
    """A program that includes the header alone, twice, and uses each options macro in it."""
    path = SOURCE_ROOT / "include" / header
    lines = [f"#include <{header}>"] * 2
    lines += [f"nw_{name.lower()}_opts opts_{name.lower()} = {macro};" for macro, name in INIT.findall(read(path))]
    return "\n".join(lines) + "\nextern int not_empty;\n"


def main():
    compiler = sys.argv[1:]
    cplusplus = cplusplus_for(compiler)
    headers = ["noisewright.h"] + sorted(f"nw/{p.name}" for p in (SOURCE_ROOT / "include/nw").glob("*.h"))
    # -ffreestanding: the compiler's own <stdint.h>, so no 32-bit C library is needed
    modes = {"c99": ["-std=c99"], "c11": ["-std=c11"], "c17": ["-std=c17"], "m32": ["-std=c17", "-m32", "-ffreestanding"]}
    tap = Tap()
    for header in headers:
        for mode, options in modes.items():
            tap.case(f"{header}__compiles_alone_as_{mode}", compile_errors(compiler + options, "c", program(header)))
        if cplusplus:
            tap.case(f"{header}__compiles_alone_as_cxx17", compile_errors(cplusplus + ["-std=c++17"], "c++", program(header)))
        else:
            tap.skip(f"{header}__compiles_alone_as_cxx17", "no C++ compiler")
    planted = "#include <nw/status.h>\nnw_no_such_type x;\n"
    tap.case("headers__finds_a_missing_type", [] if compile_errors(compiler + ["-std=c17"], "c", planted) else ["not found"])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
