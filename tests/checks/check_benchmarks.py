#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""Every benchmark runs, and with --json prints the one form, an array of {"name", "value", "unit", "ratio_<yardstick>"...}.
Nothing is said about the size of a figure.

usage: check_benchmarks.py PROGRAM...
"""
import json
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from check import Tap

NAME = re.compile(r"[a-z0-9_]+(/[A-Za-z0-9_.+^=-]+)*")
RATIO = re.compile(r"ratio_[a-z0-9_]+")


def is_positive(number):
    return isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number) and number > 0


def figure_problems(figure):
    """What is wrong with one figure. A ratio is null where its yardstick cannot be measured."""
    if not isinstance(figure, dict) or not {"name", "value", "unit"} <= figure.keys():
        return [f"no name, value and unit: {figure}"]
    name, value, unit = figure["name"], figure["value"], figure["unit"]
    ratios = {key: figure[key] for key in figure if key not in ("name", "value", "unit")}
    found = []
    if not isinstance(name, str) or not NAME.fullmatch(name):
        found.append(f"name {name!r}")
    if not is_positive(value):
        found.append(f"{name}: value {value!r}")
    if not isinstance(unit, str) or not unit:
        found.append(f"{name}: unit {unit!r}")
    if not ratios:
        found.append(f"{name}: no yardstick")
    found += [f"{name}: {key} is {ratio!r}" for key, ratio in ratios.items()
              if not RATIO.fullmatch(key) or not (ratio is None or is_positive(ratio))]
    return found


def problems(text):
    """What is wrong with the output of a benchmark."""
    try:
        figures = json.loads(text)
    except ValueError as error:
        return [f"not JSON: {error}"]
    if not isinstance(figures, list) or not figures:
        return ["no array of figures"]
    found = [problem for figure in figures for problem in figure_problems(figure)]
    names = [figure.get("name") for figure in figures if isinstance(figure, dict)]
    found += [f"{name}: given twice" for name in sorted({str(n) for n in names if names.count(n) > 1})]
    if not any(ratio is not None for figure in figures if isinstance(figure, dict)
               for key, ratio in figure.items() if key.startswith("ratio_")):
        found.append("no yardstick was measured")
    return found


def run(program, *options):
    """Run in a folder of its own, in which nothing may stay."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([program, *options], capture_output=True, text=True, cwd=folder, check=False)
        return done, [f"leaves {path.name}" for path in Path(folder).iterdir()]


def check_program(tap, program):
    name = program.name
    done, left = run(program, "--quick", "--json")
    failed = [f"exit code {done.returncode}: {done.stderr.strip()}"] if done.returncode else []
    tap.case(f"{name}__prints_figures", failed or problems(done.stdout) + left)
    done, left = run(program, "--no-such-option")
    is_refused = done.returncode == 64 and not done.stdout and "--no-such-option" in done.stderr
    tap.case(f"{name}__refuses_a_bad_option", left + ([] if is_refused else [f"exit code {done.returncode}: {done.stderr}"]))
    done, left = run(program, "--help")
    is_helpful = done.returncode == 0 and done.stdout.startswith(f"usage: {name} [--json] [--quick]")
    tap.case(f"{name}__helps", left + ([] if is_helpful else [f"exit code {done.returncode}: {done.stdout}"]))


GOOD = {"name": "a/b=1", "value": 1.5, "unit": "s", "ratio_wc": 2.0}
FAULTS = {"text_that_is_no_json": "[{]", "an_object": json.dumps(GOOD), "an_empty_array": "[]",
          "a_name_given_twice": [GOOD, GOOD],
          "a_missing_unit": [{"name": "a", "value": 1.0, "ratio_wc": 1.0}], "a_zero": [{**GOOD, "value": 0}],
          "an_infinity": [{**GOOD, "value": math.inf}], "a_missing_yardstick": [{"name": "a", "value": 1.0, "unit": "s"}],
          "a_negative_ratio": [{**GOOD, "ratio_wc": -1.0}], "another_key": [{**GOOD, "extra": 1.0}],
          "yardsticks_that_are_all_null": [{**GOOD, "ratio_wc": None}], "a_value_in_words": [{**GOOD, "value": "1"}]}


def main():
    tap = Tap()
    for program in sys.argv[1:]:
        check_program(tap, Path(program).resolve())
    tap.case("benchmarks__accepts_the_form", problems(json.dumps([GOOD, {**GOOD, "name": "b", "ratio_numpy": None}])))
    for fault, output in FAULTS.items():
        found = problems(output if isinstance(output, str) else json.dumps(output))
        tap.case(f"benchmarks__finds_{fault}", [] if found else ["the planted fault was not found"])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
