#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""The binaries are hardened as docs/architecture.md says: full RELRO, no executable stack, position independent, stack protector,
SONAME.

usage: check_hardening.py LIBRARY [PROGRAM...]
"""
import re
import subprocess
import sys
from pathlib import Path
from check import Tap

# docs/decisions/0003-licence-of-the-binary.md
LINKED = {"libsodium", "libsqlite3", "libjansson", "libz", "libgomp", "libomp", "libgcc_s", "libm", "libc", "libpthread",
          "ld-linux-x86-64", "ld-linux-aarch64"}
NEEDED = re.compile(r"\(NEEDED\).*\[([^\]]+?)\.so")


def readelf(path):
    options = ["-W", "--file-header", "--program-headers", "--dynamic", "--symbols"]
    return subprocess.run(["readelf", *options, path], check=True, capture_output=True, text=True).stdout


def problems(elf, is_library):
    """What is missing in readelf's words."""
    lines = elf.splitlines()
    stack = [line for line in lines if "GNU_STACK" in line]
    dynamic = [line for line in lines if "(FLAGS)" in line or "(FLAGS_1)" in line or "(BIND_NOW)" in line]
    found = []
    if "GNU_RELRO" not in elf:
        found.append("no RELRO segment")
    if not any("NOW" in line for line in dynamic):
        found.append("symbols are not bound at start")
    if len(stack) != 1 or "RWE" in stack[0]:
        found.append("the stack is executable")
    if not any("Type:" in line and "DYN" in line for line in lines):
        found.append("not position independent")
    if is_library and "__stack_chk_fail" not in elf:
        found.append("no stack protector")
    if is_library and "Library soname: [libnoisewright.so.0]" not in elf:
        found.append("the SONAME is not libnoisewright.so.0")
    if "(RPATH)" in elf or (is_library and "(RUNPATH)" in elf):
        found.append("a run path is set")
    if is_library:
        found += [f"links {name}, which decision 0003 does not know" for name in sorted(set(NEEDED.findall(elf)) - LINKED)]
    return found


def main():
    library, *programs = sys.argv[1:]
    tap = Tap()
    elf = readelf(library)
    tap.case(f"{Path(library).name}__is_hardened", problems(elf, True))
    for program in programs:
        tap.case(f"{Path(program).name}__is_hardened", problems(readelf(program), False))
    faults = {"relro": "GNU_RELRO", "bind_now": "NOW", "position_independence": "DYN", "stack_protector": "__stack_chk_fail",
              "soname": "libnoisewright.so.0]"}
    for name, word in faults.items():
        tap.case(f"hardening__finds_missing_{name}", [] if problems(elf.replace(word, "XXX"), True) else ["not found"])
    alien = elf + "\n 0x1 (NEEDED) Shared library: [libgsl.so.27]\n"
    tap.case("hardening__finds_an_alien_library", [] if problems(alien, True) else ["not found"])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
