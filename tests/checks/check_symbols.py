#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""The shared library exports exactly the functions that the installed headers declare with NW_API, and every global symbol of the
static library begins with nw_ or nw__, so that it cannot collide with a program's own.

usage: check_symbols.py SHARED STATIC [MPI_SHARED]
MPI_SHARED is the library of nw/mpi.h, which exports that header's functions and no others.
"""
import re
import subprocess
import sys
from check import SOURCE_ROOT, Tap, project_files, read

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
DECLARATION = re.compile(r"\bNW_API\b([^;{]*?)\b(nw_\w+)\s*\(")


def declared(text):
    """Names of the functions that a header's text declares."""
    return {name for _, name in DECLARATION.findall(COMMENT.sub(" ", text))}


def symbols(path, *options):
    """Names of the defined global symbols, without those the linker makes."""
    output = subprocess.run(["nm", "--defined-only", *options, path], check=True, capture_output=True, text=True).stdout
    found = {line.split()[2] for line in output.splitlines() if len(line.split()) == 3}
    return {name.split("@")[0] for name in found}


def difference(in_headers, in_library):
    return [f"declared, not exported: {name}" for name in sorted(in_headers - in_library)] + [
        f"exported, not declared: {name}" for name in sorted(in_library - in_headers)]


def main():
    shared, static, *mpi = sys.argv[1:]
    headers = {p.name: declared(read(p)) for p in project_files(SOURCE_ROOT, (".h",), ("include",))}
    in_mpi = headers.pop("mpi.h")
    in_headers = set().union(*headers.values())
    in_library = symbols(shared, "-D")
    tap = Tap()
    tap.case("symbols__exported_are_those_declared", difference(in_headers, in_library) if in_headers else ["no header"])
    # the compiler names the locks of OpenMP's critical sections after ours
    foreign = sorted(n for n in symbols(static, "-g") if not n.removeprefix(".gomp_critical_user_").startswith("nw_"))
    tap.case("symbols__of_the_static_library_have_the_prefix", [f"without prefix: {n}" for n in foreign])

    if mpi:
        tap.case("symbols__of_the_mpi_library_are_those_declared", difference(in_mpi, symbols(mpi[0], "-D")))

    plant = "/** x */ NW_API NW_WARN_UNUSED nw_status nw_planted(int x, nw_error *err);\n/* NW_API int nw_commented(void); */"
    tap.case("symbols__finds_a_declaration_without_function",
             [] if difference(declared(plant), set()) == ["declared, not exported: nw_planted"] else ["not found"])
    tap.case("symbols__finds_an_export_without_declaration",
             [] if difference(in_headers, in_library | {"nw__leaked"}) != difference(in_headers, in_library) else ["not found"])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
