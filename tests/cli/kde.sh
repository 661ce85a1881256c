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
like info__text run.txt '^function   gaussian in 2 dimensions$'
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

# ---- estimates and the ledger ----
nw-kde build --estimate --dimension 50 --kernel gaussian --bandwidth 4 --epsilon 0.1 --expected-points 60000 >run.txt
like estimate__names_the_estimator run.txt '^estimator  hadamard of size 547 '
nw-ledger create l.nwl --epsilon 1 --delta 1e-6 --adjacency add-remove >/dev/null 2>&1
nw-kde build --data a.csv --kernel gaussian --bandwidth 1 --epsilon 0.9 --delta 1e-6 --ledger l.nwl -o x.nwk >run.out 2>run.err
is ledger__is_charged "$?" 0
nw-kde build --data a.csv --kernel gaussian --bandwidth 1 --epsilon 0.9 --delta 1e-6 --ledger l.nwl -o y.nwk >run.out 2>run.err
is ledger__refuses "$? $(ls y.nwk 2>/dev/null)" '3 '

# ---- refused ----
refused() { # name, exit code, pattern, arguments of nw-kde...
    local name=$1 code=$2 pattern=$3
    shift 3
    rm -f never.nwk
    nw-kde "$@" >run.out 2>run.err
    is "${name}__exit_code" "$? $(ls never.nwk 2>/dev/null)" "$code "
    like "${name}__message" run.err "$pattern"
}
good=(build --data a.csv --kernel gaussian --bandwidth 1 --epsilon 1 -o never.nwk)
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
refused bounds_reversed 64 'bounds of coordinate 0 are \[2, 1\]' "${good[@]}" --lower 2 --upper 1
refused bounds_of_other_number 64 'must be one number, or 2' "${good[@]}" --lower 1,2,3 --upper 4
refused bounds_no_number 64 'must be a number' "${good[@]}" --lower 1,x --upper 4
refused bounds_missing 64 'l1 needs bounds' build --data a.csv --kernel l1 --epsilon 1 -o never.nwk
refused n_public 64 'must be "private" or a whole number' "${good[@]}" --n-public some
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
refused one_class 64 'must name two or more' classify --structures a.nwk --data q.csv
refused private_number 65 'must be built with --n-public' classify --structures s.nwk,real.nwk --data q.csv
refused truth_too_short 65 'has 1 lines, must have 20' classify --structures a.nwk,b.nwk --data q.csv --truth <(echo 1)
printf '1,2,3\n' >many.csv
nw-kde build --data many.csv --kernel gaussian --bandwidth 1 --epsilon 1 --quiet -o many.nwk
refused plot_of_many 65 'has 3 dimensions, must have 1 or 2' plot many.nwk
refused plot_without_bounds 64 'the structure has no bounds' plot a.nwk
is completion__is_up_to_date "$(nw-kde --completion)" "$(cat "$root/apps/completion/nw-kde.bash")"
finish
