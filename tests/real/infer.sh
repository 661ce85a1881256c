#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# infer.sh - a schema of raw Adult (32561 x 15) from nothing but the file, at a tenth and a fifth of epsilon = 1. $3: the folder
# of the real tables.
if [[ -z ${3-} ]]; then
    echo "1..0 # SKIP skipped: no real data"
    exit 0
fi
data=$(realpath "$3")
. "$(dirname "$0")/../cli/lib.sh"
types=iciciccccciiicc # int or categorical
for share in 0.1 0.2; do
    nw-synth "$data/adult/adult-train.csv" --infer-schema --infer-share $share --epsilon 1 --delta 1e-9 -o adult.csv \
        -m adult.json --insecure-seed 1 --quiet 2>/dev/null
    is "adult_${share}__exit_code" $? 0
    is "adult_${share}__types" "$(json adult.json '"".join(c["type"][0] for c in d["inferred_schema"].values())')" "$types"
    is "adult_${share}__missing_values" \
        "$(json adult.json '[k for k, c in d["inferred_schema"].items() if c["nullable"]][:2]')" "['workclass', 'occupation']"
    check "adult_${share}__bounds" python3 -c 'import json
s = json.load(open("adult.json"))["inferred_schema"]
assert s["age"]["lower"] <= 20 and 69 <= s["age"]["upper"] <= 99
assert s["hours_per_week"]["lower"] <= 20 and 59 <= s["hours_per_week"]["upper"] <= 99
assert s["fnlwgt"]["lower"] <= 40000 and 399999 <= s["fnlwgt"]["upper"] <= 1999999
assert s["capital_gain"]["lower"] == 0 and 6999 <= s["capital_gain"]["upper"] <= 99999
assert {"Female", "Male"} <= set(s["sex"]["values"]) and {"<=50K", ">50K"} <= set(s["income"]["values"])
assert "United-States" in s["native_country"]["values"] and "Holand-Netherlands" not in s["native_country"]["values"]'
    is "adult_${share}__columns" "$(head -n 1 adult.csv)" "$(head -n 1 "$data/adult/adult-train.csv")"
done
finish
