#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""What nw-diff2 says of a model, worked out from its file by the coefficients' names: python3 diff2_oracle.py MODEL.json DATA.csv

Prints a JSON object: the mean loss on the table, the squared norm of its gradient by central differences of that loss, and the
BLAKE2b-256 of the coefficients in their order."""
import csv
import hashlib
import json
import math
import struct
import sys

BIAS = "(bias)"


def features(schema, target, row):
    """A row as numbers by name: places in [-1, 1], and 1 for the value that a category has."""
    out = {}
    for name, column in schema.items():
        cell = row.get(name, "")
        if name == target:
            continue
        if column["type"] in ("int", "float"):
            low, high = column["lower"], column["upper"]
            if cell == "":
                out[f"{name} (missing)"] = 1.0
            else:
                out[name] = 2.0 * (min(max(float(cell), low), high) - low) / (high - low) - 1.0
        elif cell == "":
            out[f"{name} (missing)"] = 1.0
        else:
            out[f"{name} = {cell}"] = 1.0
    return out


def told(schema, target, row):
    """What the model is to tell: the number of a class, or a place in [-1, 1]."""
    column = schema[target]
    if column["type"] == "categorical":
        return column["values"].index(row[target])
    place = (float(row[target]) - column["lower"]) / (column["upper"] - column["lower"])
    return 2.0 * min(max(place, 0.0), 1.0) - 1.0


def weigh(group, inputs):
    return group[BIAS] + sum(group[name] * value for name, value in inputs.items())


def loss_of(model, inputs, y):
    groups = dict(model["coefficients"])
    if model["model"] == "softplus10":
        hidden = {f"hidden {j}": groups.pop(f"hidden {j}") for j in range(1, 11)}
        inputs = {name: math.log(1.0 + math.exp(weigh(group, inputs))) for name, group in hidden.items()}
    z = [weigh(group, inputs) for group in groups.values()]
    if model["loss"] == "logistic":
        return math.log(1.0 + math.exp(z[0])) - y * z[0]
    if model["loss"] == "softmax":
        return math.log(sum(math.exp(v) for v in z)) - z[y]
    error, width = abs(z[0] - y), model["huber_width"]
    if model["loss"] == "huber" and error > width:
        return width * (error - width / 2.0)
    return error * error / 2.0


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        model = json.load(f)
    schema, target = model["schema"], model["target"]
    with open(sys.argv[2], encoding="utf-8", newline="") as f:
        rows = [(features(schema, target, row), told(schema, target, row)) for row in csv.DictReader(f)]

    def loss():
        return sum(loss_of(model, x, y) for x, y in rows) / len(rows)

    squares, step = 0.0, 1e-4
    values = []
    for group in model["coefficients"].values():
        for name, value in group.items():
            values.append(value)
            group[name] = value + step
            high = loss()
            group[name] = value - step
            low = loss()
            group[name] = value
            squares += ((high - low) / (2.0 * step)) ** 2
    digest = hashlib.blake2b(struct.pack(f"<{len(values)}d", *values), digest_size=32).hexdigest()
    print(json.dumps({"loss": loss(), "squares": squares, "hash": digest}))


main()
