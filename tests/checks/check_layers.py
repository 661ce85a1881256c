#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""Arrows point down only: lib <- accountant <- mechanisms <- apps (docs/architecture.md).

Scans #include lines: no layer sees one above it, no room of mechanisms/ sees another, apps and examples see public headers only,
public headers include nothing but each other and three headers of the C standard, and GSL stays out of the library.
"""
import re
from check import project_files, read, run

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)
LAYERS = {"lib": 0, "accountant": 1, "mechanisms": 2, "apps": 3}
# Public headers stand in include/, but belong to a layer; those not listed are rooms.
PUBLIC = {"status": "lib", "reduce": "lib", "masks": "lib", "mpi": "lib",
          "rng": "lib", "noise": "lib", "grid": "lib", "table": "lib", "testing": "lib",
          "constraints": "lib", "scattering": "lib",
          "event": "accountant", "accounting": "accountant", "filter": "accountant", "ledger": "accountant",
          "secure_sum": "accountant"}
# A room may have a second public header.
ROOMS = {"queries": "synth", "batches": "dpsgd", "correlated": "dpsgd", "network": "dpsgd", "optimizer": "dpsgd",
         "train": "dpsgd", "hitters": "ldp", "ldp_client": "ldp"}
STANDARD = {"stdbool.h", "stddef.h", "stdint.h"}
# GSL's default error handler ends the process, and its licence would become the library's: it is an oracle of the tests only.
ALIEN = ("gsl/",)


def place(name):
    """(layer, room) of a file, by its path from the root."""
    parts = name.split("/")
    return parts[0], parts[1] if parts[0] == "mechanisms" and len(parts) > 2 else ""


def place_of_public(header):
    if not header.startswith("nw/"):
        return None
    stem = header[3:].removesuffix(".h")
    return (PUBLIC[stem], "") if stem in PUBLIC else ("mechanisms", ROOMS.get(stem, stem))


def check_one(name, quote, header, internal):
    """The complaint about one #include line of file `name`, or None."""
    layer, room = place(name)
    if header.startswith(ALIEN):
        return "GSL is for tests only"
    if layer == "include":
        allowed = header.startswith("nw/") or header in STANDARD
        return None if allowed else f"a public header may include only nw/*.h and {', '.join(sorted(STANDARD))}"
    if layer in ("apps", "examples"):
        inside = [p for p in internal.get(header.split("/")[-1], ()) if p.split("/")[0] in ("lib", "accountant", "mechanisms")]
        return "includes an internal header" if quote == '"' and inside else None
    if header == "noisewright.h":
        return "includes the umbrella header, and so every layer"
    if quote == '"':
        targets = [place(p) for p in internal.get(header.split("/")[-1], ())]
    else:
        targets = [place_of_public(header)] if place_of_public(header) else []
    for target_layer, target_room in targets:
        if LAYERS.get(target_layer, -1) > LAYERS[layer]:
            return f"{layer} includes a header of {target_layer}, a layer above it"
        if layer == target_layer == "mechanisms" and target_room != room:
            return f"room {room} includes a header of room {target_room}"
    return None


def check(root):
    violations = []
    files = project_files(root, (".c", ".h"), ("include", "lib", "accountant", "mechanisms", "apps", "examples"))
    names = {str(f.relative_to(root)): f for f in files}
    internal = {}
    for name in names:
        if name.endswith(".h") and not name.startswith("include/"):
            internal.setdefault(name.split("/")[-1], []).append(name)
    for name, path in names.items():
        for quote, header in INCLUDE.findall(read(path)):
            complaint = check_one(name, quote, header, internal)
            if complaint:
                violations.append(f"{name}: {header}: {complaint}")
    return violations


CLEAN = {
    "include/nw/status.h": "#include <stdint.h>\n",
    "include/nw/event.h": "#include <nw/status.h>\n",
    "lib/base/base.h": "#include <nw/status.h>\n",
    "accountant/event_internal.h": '#include "base.h"\n#include <nw/event.h>\n',
    "mechanisms/synth/synth_internal.h": "#include <nw/synth.h>\n",
    "mechanisms/synth/synth.c": '#include "synth_internal.h"\n#include "event_internal.h"\n',
    "apps/nw-synth.c": '#include "common.h"\n#include <noisewright.h>\n',
    "apps/common/common.h": "#include <nw/status.h>\n",
}
FAULTS = {
    "lib_including_accountant": {"lib/base/a.c": '#include "event_internal.h"\n'},
    "lib_including_public_ledger": {"lib/base/a.c": "#include <nw/ledger.h>\n"},
    "lib_including_mechanisms": {"lib/base/a.c": '#include "../../mechanisms/synth/synth_internal.h"\n'},
    "accountant_including_room": {"accountant/a.c": '#include "synth_internal.h"\n'},
    "accountant_including_umbrella": {"accountant/a.c": "#include <noisewright.h>\n"},
    "room_including_room": {"mechanisms/kde/a.c": '#include "synth_internal.h"\n'},
    "room_including_public_header_of_room": {"mechanisms/kde/a.c": "#include <nw/synth.h>\n"},
    "app_including_internal": {"apps/a.c": '#include "base.h"\n'},
    "example_including_internal": {"examples/a.c": '  #  include "../lib/base/base.h"\n'},
    "public_header_including_sodium": {"include/nw/rng.h": "#include <sodium.h>\n"},
    "stray_gsl": {"accountant/a.c": "#include <gsl/gsl_math.h>\n"},
}

if __name__ == "__main__":
    run("check_layers", check, CLEAN, FAULTS)
