#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# mpi.sh - nw-kde, nw-stats and nw-synth under mpirun: the same release on 1, 2 and 4 processes as without it, from shares of one
# file and from files of their own; one charge, one message and exit code, nothing written or charged after a failure; and what is
# left when a process is killed.
. "$(dirname "$0")/lib.sh"
. "$root/tests/cli/mpi_lib.sh"

cut -d, -f1,3 table.csv >points.csv
split_file() { # file, parts: NAME.0.csv, NAME.1.csv, ... with the header each
    awk -v base="${1%.csv}" -v n="$2" 'NR == 1 { for (i = 0; i < n; i++) print > (base "." i ".csv"); next }
        { print > (base "." ((NR * 7) % n) ".csv") }' "$1"
}
split_file table.csv 4
split_file points.csv 4
rm -f words.csv
awk 'BEGIN { print "who,word"; for (i = 0; i < 900; i++) printf "u%d,w%d\n", i % 150, (i * i) % 7 }' >words.csv
cat >words.json <<'JSON'
{"who": {"type": "text"}, "word": {"type": "text"}}
JSON

kde=(nw-kde build --kernel gaussian --bandwidth 5 --epsilon 1 --delta 1e-6 --seed-insecure 3 --quiet --size 200)
stats=(nw-stats --schema schema.json --epsilon 1 -Q 'mean(age) by sex' -Q 'quantiles(age, 3)' -Q 'median(pay)' --insecure-seed 4
    --json)
keys=(nw-stats --schema words.json --epsilon 1 --delta 1e-5 -Q 'count() by word' --unit who --max-keys 2 --max-count 2
    --insecure-seed 4 --json)
loose=(nw-stats --schema words.json --epsilon 1 --delta 1e-5 -Q 'count() by word' --insecure-seed 4 --json)
synth=(nw-synth --schema schema.json --epsilon 1 --delta 1e-9 --insecure-seed 5 --quiet --threads 1 --rows 200)
measure=(nw-synth measure --schema schema.json --epsilon 1 --delta 1e-9 --quiet --threads 1)

# ---- the same as without mpirun ----
"${kde[@]}" --data points.csv -o one.nwk 2>/dev/null
wanted_kde=$(structure_of one.nwk points.csv)
for kind in stats keys loose; do
    declare -n command=$kind
    table=words.csv
    [[ $kind == stats ]] && table=table.csv
    "${command[@]}" "$table" >one.json 2>/dev/null
    declare "wanted_$kind=$(members one.json queries)"
done
"${synth[@]}" table.csv -o one.csv --measurements one.m 2>/dev/null
wanted_synth=$(cksum <one.m; cksum <one.csv)
"${measure[@]}" table.csv --partial one.part
for n in 1 2 4; do
    mpi $n "${kde[@]}" --data points.csv -o k.nwk 2>run.err
    is "kde__is_the_same_on_$n" "$(structure_of k.nwk points.csv)" "$wanted_kde"
    mpi $n "${synth[@]}" table.csv -o s.csv --measurements s.m 2>run.err
    is "synth__is_the_same_on_$n" "$(cksum <s.m; cksum <s.csv)" "$wanted_synth"
done
is note__comes_once "$(grep -c 'NOT PRIVATE' run.err)" 1
mpi 3 "${measure[@]}" table.csv --partial three.part
check measure__writes_the_same_partial cmp one.part three.part
totals=(nw-kde build --kernel gaussian --bandwidth 5 --epsilon 1 --delta 1e-6 --data points.csv --partial)
"${totals[@]}" --quiet -o one.part
mpi 3 "${totals[@]}" --quiet -o three.part
check kde__writes_the_same_totals cmp one.part three.part
mpi 3 "${stats[@]}" table.csv >s.json 2>/dev/null
is stats__are_the_same "$(members s.json queries)" "$wanted_stats"
mpi 3 "${keys[@]}" words.csv >s.json 2>/dev/null
is keys__of_units_are_the_same "$(members s.json queries)" "$wanted_keys"
mpi 3 "${loose[@]}" words.csv >s.json 2>/dev/null
is keys__of_records_are_the_same "$(members s.json queries)" "$wanted_loose"
mpi 4 "${kde[@]}" --data 'points.{rank}.csv' -o k.nwk 2>run.err
is kde__of_own_files_is_the_same "$(structure_of k.nwk points.csv)" "$wanted_kde"
head -n 1 table.csv >table.4.csv # the last of five has no records
mpi 5 "${synth[@]}" 'table.{rank}.csv' -o s.csv --measurements s.m 2>run.err
is synth__of_own_files_is_the_same "$(cksum <s.m; cksum <s.csv)" "$wanted_synth"
mpi 4 "${stats[@]}" 'table.{rank}.csv' >s.json 2>/dev/null
is stats__of_own_files_are_the_same "$(members s.json queries)" "$wanted_stats"

# Units: all rows of one are in one share, or, as promised, in one file.
awk -F, 'NR == 1 { print "who," $0; next } { print "u" int(NR / 3) "," $0 }' table.csv >units.csv
awk -F, 'NR == 1 { print > "units.0.csv"; print > "units.1.csv"; next }
    { print > ("units." (substr($1, 2) % 2) ".csv") }' units.csv
units=("${measure[@]}" --unit who --max-rows-per-unit 2 --promise-units-apart)
"${units[@]}" units.csv --partial one.part
mpi 3 "${units[@]}" units.csv --partial three.part
check units__in_shares_are_the_same cmp one.part three.part
"${units[@]}" units.0.csv --partial u0.part
"${units[@]}" units.1.csv --partial u1.part
nw-synth merge u0.part u1.part -o merged.part --quiet
mpi 2 "${units[@]}" 'units.{rank}.csv' --partial two.part
check units__in_own_files_are_those_of_merged_partials cmp merged.part two.part
cp units.0.csv twice.0.csv
cp units.0.csv twice.1.csv

# ---- one charge ----
new_ledger l.nwl 4
mpi 3 nw-kde build --kernel gaussian --bandwidth 5 --epsilon 1 --delta 1e-9 --data points.csv --ledger l.nwl -o k.nwk 2>run.err
is ledger__has_one_charge "$(charges l.nwl)" 1
is receipt__comes_once "$(grep -c '^receipt ' run.err)" 1

# ---- failures: one message, one exit code, nothing written, nothing charged ----
all_refuse() { # name, exit code, pattern, processes, command...
    local name=$1 code=$2 pattern=$3 n=$4 before got
    shift 4
    rm -f out.csv
    before=$(charges l.nwl)
    timeout 50 mpirun "${mpi_options[@]}" --mca orte_abort_print_stack 0 -n "$n" "$@" >refused.out 2>refused.err
    got=$?
    if [[ $got != "$code" ]]; then
        not_ok "$name" "exit $got, must be $code" "$(cat refused.err)"
    elif [[ $(grep -c '^nw-[a-z]*: ' refused.err) != 1 ]] || ! grep '^nw-' refused.err | grep -Eq -- "$pattern"; then
        not_ok "$name" "must be one message that matches $pattern" "$(cat refused.err)"
    elif [[ -s refused.out || -e out.csv || $(charges l.nwl) != "$before" ]]; then
        not_ok "$name" "wrote or charged" "$(ls; head -c 300 refused.out)"
    else
        ok "$name"
    fi
}
real=(nw-kde build --kernel gaussian --bandwidth 5 --delta 1e-9 --ledger l.nwl -o out.csv)
head -n 3 points.csv >few.csv
head -n 3 table.csv >few_rows.csv
all_refuse kde__more_processes_than_points 65 'few.csv: has fewer records than the 4' 4 "${real[@]}" --epsilon 1 --data few.csv
all_refuse stats__more_processes_than_records 65 'few_rows.csv: has fewer records than the 4' 4 nw-stats few_rows.csv \
    --schema schema.json --epsilon 1 --delta 1e-9 --ledger l.nwl -Q 'count()' -o out.csv
all_refuse synth__more_processes_than_records 65 'few_rows.csv: has fewer records than the 4' 4 nw-synth few_rows.csv \
    --schema schema.json --epsilon 1 --delta 1e-9 --ledger l.nwl -o out.csv
all_refuse kde__file_of_one_is_missing 66 'points.4.csv' 5 "${real[@]}" --epsilon 1 --data 'points.{rank}.csv'
cp points.0.csv odd.0.csv
sed '5s/.*/17,x/' points.1.csv >odd.1.csv
all_refuse kde__file_of_one_is_malformed 65 'odd.1.csv: line 5, cell 2 is no number' 2 "${real[@]}" --epsilon 1 \
    --data 'odd.{rank}.csv'
cut -d, -f1 points.1.csv >odd.1.csv
all_refuse kde__other_dimension 64 'process 1 has other options than process 0' 2 "${real[@]}" --epsilon 1 --data 'odd.{rank}.csv'
all_refuse kde__other_options 64 'process 1 has other options than process 0' 1 "${real[@]}" --epsilon 1 --data points.csv : \
    -n 1 "${real[@]}" --epsilon 2 --data points.csv
all_refuse stats__other_queries 64 'other options' 1 nw-stats table.csv --schema schema.json --epsilon 1 --delta 1e-9 \
    --ledger l.nwl -Q 'count()' -o out.csv : -n 1 nw-stats table.csv --schema schema.json --epsilon 1 --delta 1e-9 \
    --ledger l.nwl -Q 'count() by sex' -o out.csv
all_refuse options__of_one_are_wrong 64 '--epsilon: is "0"' 1 "${real[@]}" --epsilon 1 --data points.csv : -n 1 "${real[@]}" \
    --epsilon 0 --data points.csv
all_refuse kde__over_the_budget 3 'does not fit' 2 "${real[@]}" --epsilon 9 --data points.csv
all_refuse synth__over_the_budget 3 'does not fit' 2 nw-synth table.csv --schema schema.json --epsilon 9 --delta 1e-9 \
    --ledger l.nwl -o out.csv
all_refuse synth__unit_in_two_files 65 'a unit has rows in two parts' 2 "${units[@]}" 'twice.{rank}.csv' --partial out.csv
all_refuse kde__stream 64 'is a stream' 2 "${real[@]}" --epsilon 1 --data /dev/stdin
all_refuse kde__bandwidth_of_points 64 'choose-bandwidth: runs in one process, and 2 were started' 2 nw-kde build \
    --kernel gaussian --choose-bandwidth 0.1 --lower 0 --upper 100 --epsilon 1 --delta 1e-9 --ledger l.nwl --data points.csv \
    -o out.csv
all_refuse kde__query 64 'query: runs in one process' 2 nw-kde query one.nwk --data points.csv -o out.csv
all_refuse kde__output_cannot_be_made 73 'nowhere' 2 nw-kde build --kernel gaussian --bandwidth 5 --delta 1e-9 --epsilon 1 \
    --ledger l.nwl --data points.csv -o nowhere/out.nwk

# ---- a process is killed ----
# Its file is a pipe that nobody writes to, so it waits in the middle of the job.
cp points.0.csv slow.0.csv
mkfifo slow.1.csv
before=$(charges l.nwl)
timeout 50 mpirun "${mpi_options[@]}" -n 2 "${real[@]}" --epsilon 1 --data 'slow.{rank}.csv' >/dev/null 2>killed.err &
job=$!
victim=
for _ in $(seq 200); do
    for process in /proc/[0-9]*; do
        if [[ $(readlink "$process/exe" 2>/dev/null) == "$bin/nw-kde" && $(readlink "$process/cwd") == "$work" ]] &&
            tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qx OMPI_COMM_WORLD_RANK=1; then
            victim=${process#/proc/}
        fi
    done
    # Its MPI has started once it asks for the file, of which it says so in its stack; a moment more does as well.
    [[ -n $victim ]] && break
    sleep 0.05
done
sleep 1
kill -9 "$victim"
wait "$job"
code=$?
is killed__fails "$((code != 0 && code != 124))" 1
is killed__writes_nothing "$(ls out.csv* 2>/dev/null)" ''
is killed__charges_nothing "$(charges l.nwl)" "$before"
rm slow.1.csv
cp points.1.csv slow.1.csv
mpi 2 "${real[@]}" --epsilon 1 --data 'slow.{rank}.csv' 2>run.err
is killed__runs_again "$(test -s out.csv && echo "$(($(charges l.nwl) - before))")" 1

# ---- nw-hitters ----
printf 'party\titem\tcount\na\t1\t500\n' >items.tsv
hitters=(nw-hitters simulate --generate zipf:users=60000,items=300,s=1.3,bits=20,parties=3 --top 5 --seed-insecure 3 --quiet
    --threads 1 --levels 10,20 --json)
all_refuse hitters__items_of_one_are_missing 66 'none.tsv' 1 nw-hitters simulate --items items.tsv --bits 30 --top 2 --epsilon 1 \
    -o out.csv : -n 1 nw-hitters simulate --items none.tsv --bits 30 --top 2 --epsilon 1 -o out.csv
"${hitters[@]}" --epsilon 2 >one.json
mpi 4 "${hitters[@]}" --epsilon 2 >four.json
is hitters__are_the_same "$(members four.json items f1)" "$(members one.json items f1)"
finish
