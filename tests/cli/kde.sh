#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# kde.sh - nw-kde: answers against plain sums, files, parts, classes, pictures, and what is refused.
. "$(dirname "$0")/lib.sh"

# Two clouds in the plane; queries in each.
python3 - <<'EOF'
import random, struct
random.seed(7)
def cloud(x, y, n): return [(random.gauss(x, .3), random.gauss(y, .3)) for _ in range(n)]
a, b, q = cloud(1, 1, 400), cloud(3, 2, 300), cloud(1, 1, 10) + cloud(3, 2, 10)
def write(name, rows, header='x,y\n'):
    with open(name, 'w') as f:
        f.write(header)
        f.writelines('%.6f,%.6f\n' % r for r in rows)
write('a.csv', a); write('b.csv', b, ''); write('q.csv', q)
write('a1.csv', a[:150]); write('a2.csv', a[150:])
with open('truth.txt', 'w') as f: f.write('0\n' * 10 + '1\n' * 10)
with open('one.csv', 'w') as f: f.writelines('%.6f\n' % x for x, _ in a)
head = "{'descr': '<f8', 'fortran_order': False, 'shape': (20, 2), }".ljust(117) + '\n'
with open('q.npy', 'wb') as f:
    f.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(head)) + head.encode())
    f.writelines(struct.pack('<dd', float('%.6f' % x), float('%.6f' % y)) for x, y in q)
EOF
cat >oracle.py <<'EOF'
import csv, math, sys
def rows(name):
    out = []
    for r in csv.reader(open(name)):
        try: out.append([float(v) for v in r])
        except ValueError: pass
    return out
f = {'gaussian': lambda u: math.exp(-sum(v * v for v in u) / .25), 'laplacian': lambda u: math.exp(-sum(map(abs, u)) / .5),
    'l1': lambda u: sum(map(abs, u)), 'l2sq': lambda u: sum(v * v for v in u), 'l2': lambda u: math.sqrt(sum(v * v for v in \
        u))}[sys.argv[1]]
x, y, got = rows(sys.argv[2]), rows(sys.argv[3]), rows(sys.argv[4])
off = [abs(g[0] - sum(f([p - q for p, q in zip(a, b)]) for a in x)) / g[1] for g, b in zip(got, y)]
print(len(got) == len(y) and max(off) < 6)
EOF
build=(nw-kde build --data a.csv --bandwidth 0.5 --lower 0 --upper 4 --seed-insecure 1 --quiet)

# ---- answers ----
for case in 'gaussian --delta 0.1' 'gaussian --estimator features --size 2000' \
    'laplacian --estimator lsh --delta 0.1' 'l1' 'l2sq' 'l2' \
    'l1 --delta 0.1 --n-public 400'; do
    name=$(tr -cs 'a-z0-9\n' _ <<<"$case")
    # shellcheck disable=SC2086
    "${build[@]}" --epsilon 40 --kernel $case -o s.nwk >run.out 2>run.err
    is "build_${name}_exit_code" "$? $(cat run.out)" '0 '
    nw-kde query s.nwk --data q.csv -o out.csv
    is "query_${name}_is_near_the_sum" "$(python3 oracle.py "${case%% *}" a.csv q.csv out.csv 2>&1)" True
done
"${build[@]}" --epsilon 1 --kernel gaussian --json -o s.nwk >run.json 2>run.err
is build__json "$(members run.json kernel dimension estimator epsilon delta adjacency insecure)" \
    "['gaussian', 2, 'grid', 1.0, 0.0, 'add_remove', True]"
is build__receipt "$(json run.json '.999 < d["receipt"]["epsilon"] <= 1')" True
like build__says_it_is_not_private run.err 'NOT PRIVATE'
nw-kde query s.nwk --data q.csv -o out.csv && nw-kde query s.nwk --data q.npy -o npy.csv
check query__npy_is_the_same cmp out.csv npy.csv
nw-kde query s.nwk --data - <q.csv >stdin.csv
check query__standard_input cmp out.csv stdin.csv
nw-kde query s.nwk --data q.csv --top 3 >top.csv
is query__top "$(head -n 1 top.csv) $(wc -l <top.csv)" 'query,value,stderr 4'
nw-kde query s.nwk --data q.csv --json >run.json
is query__json "$(json run.json 'len(d["answers"]), sorted(d["answers"][0])')" "(20, ['query', 'stderr', 'value'])"
nw-kde info s.nwk --json >run.json
is info__json "$(members run.json kernel dimension bandwidth insecure)" "['gaussian', 2, 0.5, True]"
nw-kde info s.nwk >run.txt
like info__text run.txt '^function   gaussian in 2 dimensions, bandwidth 0.5$'
like info__columns run.txt '^points are rows of 2 numbers, x y$'
"${build[@]}" --epsilon 1 --kernel gaussian -o again.nwk 2>/dev/null
nw-kde query again.nwk --data q.csv -o again.csv
check build__seed_repeats cmp out.csv again.csv
nw-kde build --data a.csv --kernel gaussian --bandwidth 0.5 --epsilon 1 -o real.nwk >run.out 2>run.err
like build__receipt_on_standard_error run.err 'epsilon (1|0\.9999[0-9]*), delta 0'

# The median distance of two points of a cloud with deviation 0.3 is 0.3 sqrt(2) 1.177 = 0.5.
for privacy in '--epsilon 4' '--epsilon 4 --delta 1e-6' '--epsilon 4 --adjacency replace-one'; do
    # shellcheck disable=SC2086
    nw-kde build --data a.csv --kernel gaussian --choose-bandwidth 0.2 --lower 0 --upper 4 $privacy \
        --seed-insecure 1 --quiet --json -o chosen.nwk >run.json 2>run.err
    is "bandwidth__is_chosen_${privacy//[^a-z0-9]/_}" "$? $(json run.json '.4 < d["bandwidth"] < .6')" '0 True'
done
nw-ledger create b.nwl --epsilon 4 --delta 1e-6 --adjacency add-remove >/dev/null 2>&1
nw-kde build --data a.csv --kernel gaussian --choose-bandwidth 0.2 --lower 0 --upper 4 --epsilon 4 --delta 1e-6 --ledger b.nwl \
    --quiet -o chosen.nwk 2>run.err
is bandwidth__is_charged_by_itself "$? $(nw-ledger show b.nwl | grep -c -E ' (bandwidth|similarity)$')" '0 2'

# ---- parts ----
part=(--kernel laplacian --bandwidth 0.5 --epsilon 1 --delta 1e-6 --seed-insecure 1 --quiet)
nw-kde build --data a1.csv "${part[@]}" --partial -o a1.part
is partial__exit_code "$? $(stat -c %a a1.part)" '0 600'
nw-kde build --data a2.csv "${part[@]}" --partial -o a2.part
nw-kde merge --part a1.part --part a2.part --dimension 2 "${part[@]}" -o merged.nwk 2>run.err
is merge__exit_code $? 0
nw-kde build --data a.csv "${part[@]}" -o whole.nwk 2>run.err
nw-kde query merged.nwk --data q.csv -o out.csv && nw-kde query whole.nwk --data q.csv -o again.csv
check merge__is_the_whole cmp out.csv again.csv

# ---- classes and pictures ----
for class in a b; do
    nw-kde build --data $class.csv --kernel gaussian --bandwidth 1 --epsilon 1 --delta 1e-6 \
        --n-public "$(grep -c '^[0-9-]' $class.csv)" \
        --seed-insecure 1 --quiet -o $class.nwk 2>run.err
done
nw-kde classify --structures a.nwk,b.nwk --data q.csv --truth truth.txt --json >run.json
is classify__json "$(json run.json 'd["accuracy"], d["labels"]')" "(1.0, $(python3 -c 'print([0] * 10 + [1] * 10)'))"
nw-kde classify --structures a.nwk,b.nwk --data q.csv >run.csv
is classify__csv "$(head -n 2 run.csv | cut -d, -f1 | tr '\n' ' ')" 'class 0 '
nw-kde plot s.nwk -o map.svg
check plot__map python3 -c 'import xml.etree.ElementTree as t; t.parse("map.svg")'
nw-kde build --data one.csv --kernel gaussian --bandwidth 0.3 --lower 0 --upper 2 --epsilon 1 --seed-insecure 1 --quiet -o \
        one.nwk 2>run.err
nw-kde plot one.nwk -o curve.svg
check plot__curve python3 -c 'import xml.etree.ElementTree as t; t.parse("curve.svg")'
like plot__has_a_band curve.svg 'fill-opacity'
like plot__names_its_axes map.svg '>x</text>'
like plot__has_a_map_of_errors map.svg '>standard error of the value</text>'

# ---- formats ----
python3 - <<'EOF'
import gzip, random, struct
random.seed(3)
# Whole numbers of 0 .. 255, so that every format can say them; in two classes that differ in their second number.
rows = [[random.randrange(256), random.randrange(100) + 120 * (i % 2), random.randrange(256)] for i in range(200)]
def npy(name, descr, code, values, shape, fortran=False):
    head = repr({'descr': descr, 'fortran_order': fortran, 'shape': shape}).ljust(117) + '\n'
    open(name, 'wb').write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(head)) + head.encode() + struct.pack(code, *values))
flat = [v for r in rows for v in r]
columns = [r[j] for j in range(3) for r in rows]
npy('f4.npy', '<f4', '<600f', flat, (200, 3)); npy('f8.npy', '>f8', '>600d', flat, (200, 3))
npy('f2.npy', '<f2', '<600e', flat, (200, 3)); npy('i8.npy', '<i8', '<600q', flat, (200, 3))
npy('u1.npy', '|u1', '600B', flat, (200, 3)); npy('fortran.npy', '<f4', '<600f', columns, (200, 3), True)
npy('deep.npy', '<i2', '<600h', flat, (200, 1, 3)); npy('deepf.npy', '<i2', '<600h', columns, (200, 3, 1), True)
open('rows.idx', 'wb').write(bytes([0, 0, 8, 2]) + struct.pack('>II', 200, 3) + bytes(flat))
open('images.idx', 'wb').write(bytes([0, 0, 8, 3]) + struct.pack('>III', 200, 1, 3) + bytes(flat))
open('labels.idx', 'wb').write(bytes([0, 0, 8, 1]) + struct.pack('>I', 200) + bytes(i % 2 for i in range(200)))
npy('labels.npy', '<i4', '<200i', [i % 2 for i in range(200)], (200,))
for name in 'rows.idx', 'f4.npy': gzip.open(name + '.gz', 'wb').write(open(name, 'rb').read())
body = ''.join('%d,%d,%d\n' % tuple(r) for r in rows)
open('plain.csv', 'w').write(body); open('named.csv', 'w').write('u,v,w\n' + body)
open('numbers.csv', 'w').write('0,1,2\n' + body)
gzip.open('plain.csv.gz', 'wt').write(body)
open('quoted.csv', 'w').write('"u","v, ""the second""",w\r\n' + ''.join('"%d", %d ,%d\r\n' % tuple(r) for r in rows))
open('more.csv', 'w').write('w,name,u,v\n' + ''.join('%d,no %d,%d,%d\n' % (r[2], i, r[0], r[1]) for i, r in enumerate(rows)))
open('labelled.csv', 'w').write('u,v,kind,w\n' + ''.join('%d,%d,%s,%d\n' % (r[0], r[1], 'low,high'.split(',')[i % 2], r[2])
    for i, r in enumerate(rows)))
open('labels.txt', 'w').write('label\n' + ''.join('%d\n' % (i % 2) for i in range(200)))
open('kinds.txt', 'w').write(''.join('low\n' if i % 2 == 0 else 'high\n' for i in range(200)))
open('people.json', 'w').write('{"age": {"type": "int", "lower": 0, "upper": 100}, "sex": {"type": "categorical", "values": '
    '["F", "M"], "nullable": false}, "pay": {"type": "float", "lower": 0, "upper": 10}}')
people = [(random.randrange(101), random.choice('FM'), round(random.uniform(0, 10), 2)) for _ in range(200)]
open('people.csv', 'w').write('sex,age,pay\n' + ''.join('%s,%d,%s\n' % (s, a, p) for a, s, p in people))
open('coded.csv', 'w').write(''.join('%r,%d,%d,%r\n' % (a / 100, s == 'F', s == 'M', p / 10) for a, s, p in people))
EOF
as=(--kernel l2sq --lower 0 --upper 255 --epsilon 1 --seed-insecure 1 --quiet)
nw-kde build --data plain.csv "${as[@]}" -o plain.nwk
nw-kde query plain.nwk --data plain.csv -o plain.out
for file in named.csv quoted.csv plain.csv.gz f4.npy f4.npy.gz f8.npy f2.npy i8.npy u1.npy fortran.npy deep.npy deepf.npy \
    rows.idx rows.idx.gz images.idx; do
    nw-kde build --data $file "${as[@]}" -o format.nwk 2>run.err && nw-kde query format.nwk --data $file -o format.out
    check "format__${file}_is_the_same" cmp plain.out format.out
done
nw-kde build --data numbers.csv --header yes "${as[@]}" -o format.nwk && nw-kde query format.nwk --data plain.csv -o format.out
check header__of_numbers cmp plain.out format.out
nw-kde build --data more.csv --columns u,v,w "${as[@]}" -o columns.nwk && nw-kde query columns.nwk --data more.csv -o format.out
check columns__are_taken_by_name cmp plain.out format.out
nw-kde query columns.nwk --data plain.csv -o format.out
check columns__without_names_are_taken_by_place cmp plain.out format.out
nw-kde query plain.nwk --data plain.csv -o out.npy
check query__writes_an_array python3 - <<'EOF'
import csv, struct
bytes = open('out.npy', 'rb').read()
assert bytes[:10] == b'\x93NUMPY\x01\x00\x76\x00' and bytes[10:128].decode().rstrip() == \
    "{'descr': '<f8', 'fortran_order': False, 'shape': (200, 2), }" and bytes[127:128] == b'\n'
rows = [r for r in csv.reader(open('plain.out'))][1:]
got = struct.unpack('<400d', bytes[128:])
assert all(abs(got[2 * i] - float(r[0])) <= 1e-9 * abs(got[2 * i]) for i, r in enumerate(rows))
assert all(abs(got[2 * i + 1] - float(r[1])) <= 1e-5 * abs(got[2 * i + 1]) for i, r in enumerate(rows))
EOF

# ---- what rows become ----
near() { python3 -c 'import csv, sys
a, b = ([[float(v) for v in r] for r in list(csv.reader(open(f)))[1:]] for f in sys.argv[1:])
assert len(a) == len(b) and all(abs(x[0] - y[0]) <= 1e-4 * (1 + abs(x[0])) for x, y in zip(a, b))' "$1" "$2"; }
to=(--kernel gaussian --bandwidth 0.5 --epsilon 1 --delta 1e-6 --seed-insecure 1 --quiet)
nw-kde build --data people.csv --schema people.json --columns age,sex,pay --scale "${to[@]}" -o people.nwk
nw-kde build --data coded.csv --lower 0 --upper 1 "${to[@]}" --estimator features --size 8192 -o coded.nwk
nw-kde query people.nwk --data people.csv -o people.out && nw-kde query coded.nwk --data coded.csv -o coded.out
check schema__is_a_coordinate_a_value near people.out coded.out
printf 'age,sex,pay\n,F,\n' >missing.csv && printf '0.5,1,0,0.5\n' >middle.csv
nw-kde query people.nwk --data missing.csv -o people.out && nw-kde query coded.nwk --data middle.csv -o coded.out
check schema__missing_is_the_middle near people.out coded.out
nw-kde build --data people.csv --schema people.json --columns age,pay "${to[@]}" -o two.nwk
printf 'pay,age\n5,50\n' >two.csv
is schema__queries_may_lack_what_is_no_coordinate "$(nw-kde query two.nwk --data two.csv | wc -l)" 2
python3 - <<'EOF'
import struct
rows = [[float(v) for v in l.split(',')] for l in open('plain.csv')] + [[0.0, 0.0, 0.0]]
matrix = [[0.5, -1], [0.25, 0.5], [1, 0]]
with open('unit.csv', 'w') as u, open('moved.csv', 'w') as m:
    for r in rows:
        norm = sum(v * v for v in r) ** 0.5 or 1
        u.write(','.join(repr(v / norm) for v in r) + '\n')
        m.write(','.join(repr(sum(v / norm * w[k] for v, w in zip(r, matrix))) for k in range(2)) + '\n')
open('zero.csv', 'w').writelines('%d,%d,%d\n' % tuple(r) for r in rows)
open('matrix.csv', 'w').writelines('%r,%r\n' % tuple(w) for w in matrix)
open('other.csv', 'w').writelines('%r,%r\n' % (w[1], w[0]) for w in matrix)
EOF
nw-kde build --data zero.csv --unit-norm "${to[@]}" --estimator features --size 999 -o unit.nwk && nw-kde query unit.nwk \
    --data zero.csv -o unit.out
nw-kde build --data unit.csv "${to[@]}" --estimator features --size 999 -o divided.nwk && nw-kde query divided.nwk \
    --data unit.csv -o divided.out
check unit_norm__also_of_zeros near unit.out divided.out
nw-kde build --data zero.csv --unit-norm --project matrix.csv "${to[@]}" --estimator features --size 999 -o moved.nwk
nw-kde query moved.nwk --data zero.csv --project matrix.csv -o unit.out
nw-kde build --data moved.csv "${to[@]}" --estimator features --size 999 -o divided.nwk && nw-kde query divided.nwk \
    --data moved.csv -o divided.out
check project__is_a_product near unit.out divided.out
is info__tells_the_view "$(nw-kde info moved.nwk --json | python3 -c 'import json, sys; v = json.load(sys.stdin)["view"]
print(v["unit_norm"], v["coordinates"], len(v["project"]))')" 'True 3 32'

# A scale is taken back on the axes; a logarithmic one has marks at powers of ten.
echo '{"age": {"type": "int", "lower": 20, "upper": 90}, "pay": {"type": "float", "lower": 0, "upper": 1e6, "scale": "log"}}' \
    >pay.json
printf 'age,pay\n40,10000\n' >pay.csv
nw-kde build --data pay.csv --schema pay.json --scale --kernel gaussian --bandwidth 0.1 --epsilon 1 --seed-insecure 1 --quiet \
    -o pay.nwk
nw-kde plot pay.nwk -o pay.svg
like plot__marks_in_the_unit_of_the_data pay.svg '>80</text>'
like plot__marks_powers_of_ten pay.svg '>100000</text>'
nw-kde plot pay.nwk --lower 30,1000 --upper 50,100000 -o pay.svg
like plot__of_a_part pay.svg '>45</text>'
unlike plot__of_a_part_only pay.svg '>80</text>'

# ---- the nearest and the farthest ----
for _ in {1..99}; do printf '0.2\n1\n5\n'; done >line.csv && printf '0.2\n9\n1.1\n5\n' >asked.csv
for kernel in 'gaussian --bandwidth 1' l1; do
    # shellcheck disable=SC2086
    nw-kde build --data line.csv --kernel $kernel --lower 0 --upper 10 --epsilon 64 --seed-insecure 1 --quiet -o line.nwk
    is "top__of_${kernel%% *}" "$(nw-kde query line.nwk --data asked.csv --top 2 | cut -d, -f1 | paste -sd,)" \
        "$([[ $kernel == l1 ]] && echo query,2,0 || echo query,0,2)"
    is "outliers__of_${kernel%% *}" "$(nw-kde query line.nwk --data asked.csv --outliers 1 | cut -d, -f1 | paste -sd,)" query,1
done
is rows__keep_their_numbers "$(nw-kde query line.nwk --data asked.csv --rows 1..2 --top 1 | cut -d, -f1 | paste -sd,)" query,2
nw-kde build --data line.csv --kernel gaussian --bandwidth 1 --lower 0 --upper 10 --epsilon 64 --n-public counted \
    --seed-insecure 1 \
    --quiet -o line.nwk
is average__divides "$(paste -d, <(nw-kde query line.nwk --data asked.csv) <(nw-kde query line.nwk --data asked.csv --average) |
    awk -F, 'NR > 1 { off += ($1 / 297 - $3)^2 + ($2 / 297 - $4)^2 } END { print (off < 1e-12) }')" 1

# ---- one structure a class, in one charge ----
make=(--kernel gaussian --bandwidth 100 --epsilon 2 --delta 1e-6 --lower 0 --upper 255 --seed-insecure 1)
nw-kde build --data rows.idx.gz --labels labels.idx --classes 0..1 --n-public counted "${make[@]}" -o c.nwk 2>run.err
is classes__exit_code "$? $(echo c-*.nwk)" '0 c-0.nwk c-1.nwk'
like classes__are_told run.err '^             c-1.nwk$'
is classes__know_their_name "$(nw-kde info c-1.nwk --json | python3 -c 'import json, sys; d = json.load(sys.stdin)
print(d["class"], d["points"], round(d["epsilon"], 2))')" '1 100.0 2.0'
for labels in labels.idx labels.npy labels.txt; do
    nw-kde classify --structures c-0.nwk,c-1.nwk --data plain.csv --truth $labels --json >run.json
    is "classify__truth_of_$labels" "$(json run.json 'd["accuracy"] > .85, d["names"], len(d["stderr"])')" \
        "(True, ['0', '1'], 200)"
done
nw-kde classify c-*.nwk --data plain.csv --rows 10..19 --truth labels.txt --json >run.json
is classify__rows_go_with_truth "$(json run.json 'd["accuracy"] > .7, len(d["labels"])')" '(True, 10)'
nw-kde build --data labelled.csv --label kind --classes low,high --n-public 100 "${make[@]}" --json -o k.nwk >run.json 2>run.err
is classes__json "$(json run.json '[(c["name"], c["output"], c["points"]) for c in d["classes"]]')" \
    "[('low', 'k-low.nwk', 100), ('high', 'k-high.nwk', 100)]"
nw-kde classify k-low.nwk k-high.nwk --data labelled.csv --label kind -o kinds.csv 2>run.err
is classify__tells_the_accuracy "$(head -n 1 kinds.csv) $(grep -c -E '^(low|high),' kinds.csv)" 'class,similarity,stderr 200'
like classify__accuracy_is_on_standard_error run.err '^nw-kde: (1\.0000|0\.9[0-9]{3}) of 200 classes are right$'
nw-kde classify k-low.nwk k-high.nwk --data plain.csv --truth kinds.txt --scores -o scores.npy 2>run.err
is classify__scores_as_an_array "$(stat -c %s scores.npy)" $((128 + 8 * 2 * 200))
nw-kde classify k-low.nwk k-high.nwk --data plain.csv --scores >kinds.csv
is classify__scores "$(head -n 1 kinds.csv)" 'class,similarity,stderr,low,high'
nw-kde build --data rows.idx --labels labels.idx --classes 0..1 "${make[@]}" --json -o p.nwk >run.json 2>run.err
is sizes__are_drawn \
    "$(json run.json 'all(75 < c["points"] < 125 and 0 < c["points_error"] < 20 for c in d["classes"])')" \
    True
nw-kde classify p-0.nwk p-1.nwk --data plain.csv --truth labels.idx --json >run.json
is sizes__do_for_averages "$(json run.json 'd["accuracy"] > .7')" True
# The same spec and data by hand: a class's file is what a structure of its points alone would be, but for the noise.
nw-ledger create classes.nwl --epsilon 3 --delta 1e-6 --adjacency add-remove >/dev/null 2>&1
nw-kde build --data rows.idx --labels labels.idx --classes 0..1 --kernel gaussian --bandwidth 40 --epsilon 2 --delta 1e-6 \
    --ledger classes.nwl --quiet -o l.nwk 2>run.err
is classes__are_one_charge "$? $(nw-ledger show classes.nwl | grep -c ' similarity by class$')" '0 1'
is classes__cost_one_structure "$(nw-ledger show classes.nwl --json | python3 -c 'import json, sys
print(1.98 < json.load(sys.stdin)["spent"]["epsilon"] <= 2)')" True
nw-kde build --data rows.idx --labels labels.idx --classes 0..1 --choose-bandwidth 0.1 --kernel gaussian --epsilon 2 \
    --delta 1e-6 \
    --lower 0 --upper 255 --seed-insecure 1 --quiet --json -o b.nwk >run.json 2>run.err
is classes__with_a_bandwidth_from_the_points "$? $(json run.json '60 < d["bandwidth"] < 240')" '0 True'

# ---- estimates and the ledger ----
nw-kde build --estimate --dimension 50 --kernel gaussian --bandwidth 4 --epsilon 0.1 --expected-points 60000 >run.txt
like estimate__names_the_estimator run.txt '^estimator  hadamard of size 547 '
nw-ledger create l.nwl --epsilon 1 --delta 1e-6 --adjacency add-remove >/dev/null 2>&1
nw-kde build --data a.csv --kernel gaussian --bandwidth 1 --epsilon 0.9 --delta 1e-6 --ledger l.nwl -o x.nwk >run.out 2>run.err
is ledger__is_charged "$?" 0
nw-kde build --data a.csv --kernel gaussian --bandwidth 1 --epsilon 0.9 --delta 1e-6 --ledger l.nwl -o y.nwk >run.out 2>run.err
is ledger__refuses "$? $(ls y.nwk 2>/dev/null)" '3 '

# ---- refused ----
nw-ledger create guard.nwl --epsilon 9 --delta 1e-6 --adjacency add-remove >/dev/null 2>&1
refused() { # name, exit code, pattern, arguments of nw-kde...: nothing is written, nothing charged
    local name=$1 code=$2 pattern=$3
    shift 3
    rm -f never*.nwk
    nw-kde "$@" >run.out 2>run.err
    is "${name}__exit_code" "$? $(ls never*.nwk 2>/dev/null) $(nw-ledger show guard.nwl | grep -c ' 0 charges$')" "$code  1"
    like "${name}__message" run.err "$pattern"
}
good=(build --data a.csv --kernel gaussian --bandwidth 1 --epsilon 1 --delta 1e-6 --ledger guard.nwl -o never.nwk)
printf 'x,y\n1,2\n3,oops\n' >word.csv
printf 'x,y\n1,2\n3\n' >short.csv
: >empty.csv
head -c 100 q.npy >cut.npy
head -c 40 s.nwk >cut.nwk
refused no_data 64 '^nw-kde: --data: missing' build --kernel gaussian --bandwidth 1 --epsilon 1 -o never.nwk
refused no_output 64 '^nw-kde: --output: missing' build --data a.csv --kernel gaussian --bandwidth 1 --epsilon 1
refused to_standard_output 64 'is "-", must be a file' build --data a.csv --kernel gaussian --bandwidth 1 --epsilon 1 -o -
refused bandwidth_0 64 '^nw-kde: --bandwidth: is "0", must be a number in \[1e-30, 1e30\]' build --data a.csv --kernel gaussian \
    --bandwidth 0 --epsilon 1 -o never.nwk
refused bandwidth_missing 64 'bandwidth is 0, must be in' build --data a.csv --kernel gaussian --epsilon 1 -o never.nwk
refused bounds_reversed 64 '^nw-kde: --upper: is 1 for coordinate 0, must be above --lower, 2' "${good[@]}" --lower 2 --upper 1
refused bounds_of_other_number 64 'must be one number, or 2' "${good[@]}" --lower 1,2,3 --upper 4
refused bounds_no_number 64 'must be a number' "${good[@]}" --lower 1,x --upper 4
refused bounds_missing 64 'l1 needs bounds' build --data a.csv --kernel l1 --epsilon 1 -o never.nwk
refused n_public 64 'must be "private", "counted" or a whole number' "${good[@]}" --n-public some
refused estimator 64 'moments needs kernel l2sq' "${good[@]}" --estimator moments
refused size 64 'size is 50000000' "${good[@]}" --estimator features --size 50000000
refused bandwidth_twice 64 '^nw-kde: --choose-bandwidth: must be given with' "${good[@]}" --choose-bandwidth 0.1 \
    --lower 0 --upper 4
refused bandwidth_without_bounds 64 '^nw-kde: --choose-bandwidth: must be given with' build --data a.csv --kernel gaussian \
    --choose-bandwidth 0.1 --epsilon 1 -o never.nwk
refused kernel 64 'must be one of gaussian' build --data a.csv --kernel box --epsilon 1 -o never.nwk
refused word 65 'line 3, cell 2 is no number' build --data word.csv --kernel gaussian --bandwidth 1 --epsilon 1 -o never.nwk
refused short_line 65 'line 3 has 1 cells, must have 2' build --data short.csv --kernel gaussian --bandwidth 1 --epsilon 1 \
        -o never.nwk
refused empty 65 'is empty' build --data empty.csv --kernel gaussian --bandwidth 1 --epsilon 1 -o never.nwk
refused missing_file 66 'nothing.csv' build --data nothing.csv --kernel gaussian --bandwidth 1 --epsilon 1 -o never.nwk
refused cut_npy 65 'cut short' query s.nwk --data cut.npy
refused folder_missing 73 'nowhere' build --data a.csv --kernel gaussian --bandwidth 1 --epsilon 1 -o nowhere/never.nwk
refused cut_structure 65 'cut.nwk' query cut.nwk --data q.csv
refused other_file 65 'a.csv' info a.csv
refused other_dimension 65 'has 1 coordinates, must have 2' query s.nwk --data one.csv
refused over_the_data 64 'output' build --data a.csv --kernel gaussian --bandwidth 1 --epsilon 1 -o a.csv
refused part_twice 64 'given twice' merge --part a1.part --part a1.part --dimension 2 "${part[@]}" -o never.nwk
refused part_of_others 65 'other options|no totals' merge --part a1.part --dimension 2 --kernel laplacian \
    --bandwidth 0.6 --epsilon 1 \
    --delta 1e-6 -o never.nwk
refused one_class 64 'has 1, must have 2 to 4096' classify --structures a.nwk --data q.csv
refused private_number 65 'must be built with --n-public' classify --structures s.nwk,real.nwk --data q.csv
refused truth_too_short 65 'has 1 labels, must have one for each of the 20 points' classify --structures a.nwk,b.nwk \
    --data q.csv --truth <(echo 1)
printf '1,2,3\n' >many.csv
nw-kde build --data many.csv --kernel gaussian --bandwidth 1 --epsilon 1 --quiet -o many.nwk
refused plot_upside_down 64 '^nw-kde: --upper: is 1 for coordinate 1, must be above the lower bound, 2' plot s.nwk --lower 0,2 \
    --upper 1,1
refused plot_of_many 65 'has 3 dimensions, must have 1 or 2' plot many.nwk
refused plot_without_bounds 64 '^nw-kde: --lower: missing, must be given with --upper: the structure has no bounds' plot a.nwk

# Inputs.
printf '0,0\n1,2\n' >pair.csv && printf '1,"2\n' >quote.csv && printf '1,"2"3\n' >behind.csv && printf 'u,v\n1,2\n' >uv.csv
printf 'x,y\n' >names.csv && printf '3.5,oops\n1,2\n' >first.csv && printf '1\0,2\n' >nul.csv
python3 - <<'EOF'
import gzip, struct
def npy(name, head, body=b''):
    head = head.ljust(117) + '\n'
    open(name, 'wb').write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(head)) + head.encode() + body)
npy('complex.npy', "{'descr': '<c8', 'fortran_order': False, 'shape': (1, 2), }", bytes(16))
npy('scalar.npy', "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", bytes(4))
npy('none.npy', "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 0), }")
npy('huge.npy', "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }")
npy('long.npy', "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", bytes(12))
npy('odd.npy', "{'descr': '<f4', 'shape': (1, 2), }", bytes(8))
npy('values.npy', "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }",
    struct.pack('<6f', float('nan'), float('inf'), -float('inf'), 1e38, 0, 0))
open('cut.idx', 'wb').write(open('rows.idx', 'rb').read()[:-1])
open('long.idx', 'wb').write(open('rows.idx', 'rb').read() + b'x')
open('type.idx', 'wb').write(b'\0\0\x0d\2' + bytes(12))
open('wide.idx', 'wb').write(b'\0\0\x08\3' + struct.pack('>III', 1, 4096, 4096))
open('cut.gz', 'wb').write(open('rows.idx.gz', 'rb').read()[:-9])
labels = bytearray(open('labels.idx', 'rb').read()); labels[20] = 7; open('seven.idx', 'wb').write(labels)
EOF
of() { # file: arguments that build from it
    echo build --data "$1" --kernel gaussian --bandwidth 1 --epsilon 1 --delta 1e-6 --ledger guard.nwl -o never.nwk
}
# shellcheck disable=SC2046
{
    refused quote 65 'line 1 has a quote that is not closed' $(of quote.csv)
    refused behind_a_quote 65 'line 1 goes on behind a quote' $(of behind.csv)
    refused first_record_is_no_header 65 'line 1, cell 2 is no number; if the first line has names, say --header yes' \
        $(of first.csv)
    refused nul_byte 65 'has a NUL byte' $(of nul.csv)
    refused npy_of_another_kind 65 'must be float16, float32, float64, bool or whole' $(of complex.npy)
    refused npy_scalar 65 'must be \(points,\) or \(points, coordinates\)' $(of scalar.npy)
    refused npy_without_coordinates 65 'has 0 coordinates a point, must have 1 to 16384' $(of none.npy)
    refused npy_of_impossible_size 65 'another shape' $(of huge.npy)
    refused npy_too_long 65 'longer than its shape says' $(of long.npy)
    refused npy_without_order 65 'another shape' $(of odd.npy)
    refused idx_cut 65 'ends before what its header announces' $(of cut.idx)
    refused idx_too_long 65 'goes on after' $(of long.idx)
    refused idx_of_another_type 65 'must be 0x00000802' $(of type.idx)
    refused idx_too_wide 65 'more than 16384 coordinates' $(of wide.idx)
    refused gzip_cut 65 'the gzip data are cut short' $(of cut.gz)
}
refused bandwidth_denormal 64 'is "1e-310", must be a number in \[1e-30, 1e30\]' build --data a.csv --kernel gaussian \
    --bandwidth 1e-310 \
    --epsilon 1 --ledger guard.nwl -o never.nwk
refused bandwidth_infinite 64 'is "inf", must be a number' build --data a.csv --kernel gaussian --bandwidth inf --epsilon 1 \
    -o never.nwk
refused bandwidth_nan 64 'is "nan", must be a number' build --data a.csv --kernel gaussian --bandwidth nan --epsilon 1 \
    -o never.nwk
refused bounds_equal 64 '--upper: is 1 for coordinate 0, must be above --lower, 1' "${good[@]}" --lower 1 --upper 1
refused bounds_infinite 64 'is "0,inf", must be a number' "${good[@]}" --lower 0,inf --upper 1
refused bounds_half 64 '^nw-kde: --upper: missing, must be given with --lower' "${good[@]}" --lower 1
refused features_of_1e9 64 'is "1e9", must be a whole number in \[1, 67108864\]' "${good[@]}" --estimator features --size 1e9
refused landmarks_of_other_width 65 'has 1 coordinates, must have 2' "${good[@]}" --landmarks one.csv
refused landmark_rows_beyond 64 'must be within the 400 rows' "${good[@]}" --landmarks a.csv --landmark-rows 0..400
refused landmark_rows_alone 64 'given without --landmarks' "${good[@]}" --landmark-rows 0..4
refused columns_missing 65 'has no column "z" in its first line' "${good[@]}" --columns x,z
refused columns_without_names 64 'must be names separated by commas' "${good[@]}" --columns x,,y
refused columns_of_an_array 65 'has no columns with names' "${good[@]:0:2}" q.npy "${good[@]:3}" --columns x,y
refused scale_without_bounds 64 '^nw-kde: --scale: needs bounds' "${good[@]}" --scale
refused project_of_other_width 65 'has 2 coordinates, must have 3 as --project has rows' "${good[@]}" --project matrix.csv
refused project_of_words 65 'has a number that is not finite' "${good[@]}" --project values.npy
refused schema_and_bounds 64 'given with --schema, which has the bounds' "${good[@]}" --schema people.json --lower 0 --upper 1
refused schema_of_other_columns 65 'people.json|a.csv' "${good[@]}" --schema people.json
refused counted_of_a_part 64 'is "counted", must be a number or "private"' build --data a.csv --kernel gaussian --bandwidth 1 \
    --epsilon 1 --n-public counted --partial -o never.nwk
refused counted_of_an_estimate 64 'is "counted"' build --estimate --dimension 2 --kernel gaussian --bandwidth 1 --epsilon 1 \
    --n-public counted
# Classes.
kinds=(build --data labelled.csv --kernel gaussian --bandwidth 40 --epsilon 1 --delta 1e-6 --ledger guard.nwl -o never.nwk)
refused classes_missing 64 '^nw-kde: --classes: missing, must list the classes' "${kinds[@]}" --label kind
refused classes_alone 64 'given without labels' "${kinds[@]}" --classes 0..9
refused classes_twice 64 'each once' "${kinds[@]}" --label kind --classes low,high,low
refused classes_reversed 64 'must be a range of whole numbers' "${kinds[@]}" --label kind --classes 9..0
refused classes_in_one_file 64 'would both be written to never-a_b.nwk' "${kinds[@]}" --label kind --classes low,high,a/b,a:b
refused label_is_no_column 65 'has no column "sort"' "${kinds[@]}" --label sort --classes low,high
refused label_of_no_class 65 'the label of record 2 is none of the 2 classes, low to lower' "${kinds[@]}" --label kind \
    --classes low,lower
refused labels_of_no_class 65 'seven.idx: the label of record 13 is none of the 2 classes, 0 to 1' build --data rows.idx \
    --labels seven.idx \
    --classes 0..1 --kernel gaussian --bandwidth 40 --epsilon 1 --delta 1e-6 --ledger guard.nwl -o never.nwk
refused labels_of_others 65 'has 200 labels, must have one for each of the 400 points' "${good[@]}" --labels labels.idx \
    --classes 0..1
refused label_of_an_array 65 'has no columns with names' build --data rows.idx --label kind --classes 0..1 --kernel gaussian \
    --bandwidth 40 --epsilon 1 -o never.nwk
refused classes_that_may_change 64 '^nw-kde: --adjacency: is replace-one, must be add-remove with classes' "${kinds[@]}" \
    --label kind \
    --classes low,high --adjacency replace-one
refused classes_in_parts 64 '^nw-kde: --partial: given with classes' build --data labelled.csv --kernel gaussian --bandwidth 40 \
    --epsilon 1 --label kind --classes low,high --partial -o never.nwk
refused numbers_of_other_classes 64 'has 3 numbers, must have one, or one for each of the 2 classes' "${kinds[@]}" --label kind \
    --classes low,high --n-public 1,2,3
refused classes_over_the_budget 3 'the release does not fit' build --data labelled.csv --kernel gaussian --bandwidth 40 \
    --epsilon 30 \
    --delta 1e-6 --ledger guard.nwl --label kind --classes low,high -o never.nwk
# Structures and queries.
head -c $(($(stat -c %s s.nwk) - 9)) s.nwk >cut2.nwk
python3 -c 'b = bytearray(open("s.nwk", "rb").read()); b[-100] ^= 1; open("bent.nwk", "wb").write(b)
b[-100] ^= 1; i = b.index(b"0.5" if b"0.5" in b else b"0x1p-1"); b[i + 2] ^= 1; open("head.nwk", "wb").write(b)'
refused structure_cut 65 'truncated, or was altered' query cut2.nwk --data q.csv
refused structure_bent 65 'truncated, or was altered' query bent.nwk --data q.csv
refused structure_with_another_header 65 'truncated, or was altered' query head.nwk --data q.csv
refused part_is_no_structure 65 'is not a structure of nw-kde' query a1.part --data q.csv
refused structure_is_no_part 65 'no such totals' merge --part s.nwk --dimension 2 "${part[@]}" -o never.nwk
refused merged_without_dimension 64 '^nw-kde: --dimension: missing' merge --part a1.part "${part[@]}" -o never.nwk
refused matrix_missing 64 '^nw-kde: --project: missing, must be the matrix that moved.nwk was built with' query moved.nwk \
    --data zero.csv
refused matrix_of_others 64 'must be the matrix that moved.nwk was built with' query moved.nwk --data zero.csv --project other.csv
refused matrix_for_nothing 64 'was built without one' query plain.nwk --data plain.csv --project matrix.csv
refused columns_of_others 65 'has no column "w" in its first line' query columns.nwk --data uv.csv
refused top_and_outliers 64 'must be one of the two' query s.nwk --data q.csv --top 1 --outliers 1
refused rows_beyond 64 'must be within the 20 rows' query s.nwk --data q.csv --rows 5..20
refused rows_reversed 64 'must be the first and the last row' query s.nwk --data q.csv --rows 5..4
refused average_of_a_private_number 65 'must be built with --n-public for --average' query real.nwk --data q.csv --average
refused answers_over_the_queries 64 'is the same file as q.csv' query s.nwk --data q.csv -o q.csv
refused classes_of_other_functions 65 'k-low.nwk: has another' classify c-0.nwk k-low.nwk --data plain.csv
refused classes_of_other_dimensions 65 'a.nwk: has another dimension than c-0.nwk' classify c-0.nwk a.nwk --data plain.csv
refused class_twice 64 'given twice' classify c-0.nwk c-0.nwk --data plain.csv
cp c-0.nwk same.nwk
refused class_of_the_same_name 65 'is of class 0, as c-0.nwk is' classify c-0.nwk same.nwk --data plain.csv
refused truth_of_no_class 65 'the label of record 13 is none of the 2 classes' classify c-0.nwk c-1.nwk --data plain.csv \
    --truth seven.idx
refused structures_missing 64 '^nw-kde: --structures: missing' classify --data plain.csv
# What looks wrong and is not: values that count as a bound or as missing, and no points at all.
nw-kde build --data values.npy --kernel l2sq --lower 0 --upper 1 --epsilon 1 --quiet -o values.nwk
is values__that_are_none_are_held "$? $(nw-kde query values.nwk --data values.npy | grep -c -v -E 'nan|inf')" '0 4'
printf 'nan,inf\n-inf,1e38\nNA,\n' >values.csv
nw-kde build --data values.csv --kernel gaussian --bandwidth 1 --epsilon 1 --quiet -o values.nwk
is values__in_a_table "$? $(nw-kde query values.nwk --data values.csv | grep -c -v -E 'nan|inf')" '0 4'
nw-kde build --data values.csv --unit-norm --kernel gaussian --bandwidth 1 --epsilon 1 --quiet -o values.nwk
is values__of_norm_1 "$? $(nw-kde query values.nwk --data values.csv | grep -c -v -E 'nan|inf')" '0 4'
nw-kde build --data names.csv --kernel gaussian --bandwidth 1 --epsilon 1 --quiet -o names.nwk
is points__may_be_none "$? $(nw-kde query names.nwk --data names.csv | wc -l)" '0 1'
nw-kde build --data a.csv --kernel gaussian --bandwidth 1 --epsilon 1 --delta 1e-6 --ledger guard.nwl --quiet -o guarded.nwk
is ledger__of_the_refusals_works "$(nw-ledger show guard.nwl | grep -c ' 1 charge$')" 1
is completion__is_up_to_date "$(nw-kde --completion)" "$(cat "$root/apps/completion/nw-kde.bash")"
finish
