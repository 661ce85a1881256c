#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# leaks.sh - that what nw-synth writes depends on the real table through noisy counts only, and that each test that says so sees a
# true statistic that is planted.
. "$(dirname "$0")/lib.sh"

oracle() {
    python3 "$root/tests/cli/leaks_oracle.py" "$@"
}
sees() { # name, command...: the command fails, as it must on a broken twin
    local name=$1
    shift
    if "$@" >sees.out 2>&1; then not_ok "$name" "$* did not see it"; else ok "$name"; fi
}

# Two neighbours of distinctive counts: the second has a record less.
awk 'BEGIN { OFS = ","; print "a,b,c,d"; seed = 7
    for (i = 0; i < 20011; i++) { seed = (seed * 16807) % 2147483647; a = seed % 7; if (a > 3 && seed % 3) a = 1
        seed = (seed * 16807) % 2147483647; print a, (3 * a + seed % 7) % 23, seed % 4, (seed % 11 < 7) } }' >big.csv
sed 4711d big.csv >less.csv
echo '{"a": 7, "b": 23, "c": 4, "d": 2}' >big.json
for name in big less; do
    nw-synth $name.csv --schema big.json --epsilon 0.3 --delta 1e-9 --rows 20000 --insecure-seed 5 -o $name.out \
        --measurements $name.nwm --report $name.html --manifest $name.man --json >$name.run 2>/dev/null
    is "run__exit_code_$name" $? 0
done

# ---- what was measured ----
check measurements__every_vector_has_its_noise oracle noise big.nwm big.csv
check measurements__of_neighbours_differ_by_the_record_alone oracle neighbours big.nwm less.nwm big.csv less.csv
for kind in vector half; do
    oracle plant $kind big.nwm $kind.nwm big.csv
    check measurements__mutant_${kind}_is_well_formed nw-synth fit --measurements $kind.nwm --rows 50 -o fit.csv
    sees measurements__mutant_${kind}_is_seen_by_its_noise oracle noise $kind.nwm big.csv
done
oracle plant vector less.nwm vector.nwm big.csv # the wrong table's
sees measurements__mutant_of_another_table_is_seen oracle neighbours big.nwm vector.nwm big.csv less.csv

# ---- manifest and JSON: the same of both neighbours, but for hashes of what the noise is in, heads and times ----
public() {
    python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
for key in ("seconds", "output"):
    d.pop(key, None)
for key in ("head", "time"):
    d["receipt"].pop(key)
for o in d.get("outputs", []):
    o.pop("blake2b_256"), o.pop("path")
print(json.dumps(d, sort_keys=True))' "$1"
}
same() { # of the first four decimals of what is predicted for the estimated number of records
    python3 -c '
import json, sys
def near(x, y):
    if isinstance(x, dict):
        return isinstance(y, dict) and x.keys() == y.keys() and all(near(x[k], y[k]) for k in x)
    if isinstance(x, list):
        return isinstance(y, list) and len(x) == len(y) and all(near(a, b) for a, b in zip(x, y))
    return abs(x - y) <= 1e-3 * abs(x) if isinstance(x, float) and isinstance(y, float) else x == y
sys.exit(not near(json.loads(sys.argv[1]), json.loads(sys.argv[2])))' "$1" "$2"
}
check manifest__is_the_same_of_neighbours same "$(public big.man)" "$(public less.man)"
check json__is_the_same_of_neighbours same "$(public big.run)" "$(public less.run)"
oracle plant manifest big.man planted.man big.csv
oracle plant manifest less.man planted_less.man less.csv
sees manifest__mutant_with_the_records_is_seen same "$(public planted.man)" "$(public planted_less.man)"

# ---- the page: every number is made again from what is public ----
page() {
    python3 "$root/tests/cli/report_oracle.py" "$1" big.nwm big.out big.csv
}
check report__is_public page big.html
for kind in text comment cell dot bar desc; do
    oracle plant $kind big.html planted.html big.csv
    sees report__mutant_with_a_true_${kind}_is_seen page planted.html
done
sees report__of_the_neighbour_is_not_that_of_the_table page less.html

# ---- a value that the schema does not have: nowhere in what is written or said ----
sed '1s/.*/a,b,c,d/; 100s/^[0-9]*,/notpublic,/' big.csv >odd.csv
echo '{"a": {"type": "categorical", "values": ["0", "1", "2", "3", "4", "5", "6"]}, "b": 23, "c": 4, "d": 2}' >odd.json
nw-synth odd.csv --schema odd.json --epsilon 30 --delta 1e-9 -o odd.out --measurements odd.nwm --report odd.html \
    --manifest odd.man >odd.said 2>&1
is unknown_value__exit_code $? 0
is unknown_value__is_in_no_output "$(cat odd.out odd.nwm odd.html odd.man odd.said | grep -c notpublic)" 0
cp odd.html odd_leaky.html
echo '<p>notpublic</p>' >>odd_leaky.html
is unknown_value__mutant_is_seen "$(grep -c notpublic odd_leaky.html)" 1
finish
