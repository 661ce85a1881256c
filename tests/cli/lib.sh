# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# lib.sh - what the command line tests share. Sourced; $1 is the folder of the built programs, $2 the root of the sources.
#
# Each case prints one TAP line; what it saw goes into comment lines if it fails. Cases run in $work, which is removed in the end.
set -u
export LC_ALL=C
bin=$(realpath "$1")
root=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
PATH=$bin:$PATH
count=0

ok() { # name
    count=$((count + 1))
    echo "ok $count - $1"
}

not_ok() { # name, explanation...
    count=$((count + 1))
    echo "not ok $count - $1"
    shift
    printf '%s\n' "$@" | sed 's/^/# /'
}

skip() { # name, reason
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

check() { # name, command...: the command succeeds
    local name=$1
    shift
    if "$@" >check.out 2>&1; then ok "$name"; else not_ok "$name" "$* failed" "$(tail -n 20 check.out)"; fi
}

is() { # name, got, wanted
    if [[ $2 == "$3" ]]; then ok "$1"; else not_ok "$1" "is $2" "must be $3"; fi
}

like() { # name, file, pattern: the file has a line that matches
    if grep -Eq -- "$3" "$2"; then ok "$1"; else not_ok "$1" "no line matches $3" "$(head -c 2000 "$2")"; fi
}

unlike() { # name, file, pattern: the file has no such line
    if grep -Eq -- "$3" "$2"; then not_ok "$1" "a line matches $3" "$(head -c 2000 "$2")"; else ok "$1"; fi
}

json() { # file, Python expression over d, the object: prints its value
    python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"
}

members() { # file, names...: prints their values as a list
    python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print([d[k] for k in sys.argv[2:]])' "$@"
}

finish() {
    echo "1..$count"
}

# A table of 300 records, the same every time: Park and Miller's generator.
make_table() { # rows
    awk -v rows="$1" 'function r() { seed = (seed * 16807) % 2147483647; return seed / 2147483647 }
        BEGIN { seed = 42; print "age,sex,region,pay,since"
            for (i = 0; i < rows; i++) {
                age = 17 + int(r() * 70); sex = r() < 0.5 ? "F" : "M"; region = int(r() * 4)
                printf "%d,%s,%d,%s,20%02d-%02d-%02d\n", age, sex, region, r() < 0.1 ? "" : int(age * 1000 * r()) / 100,
                    int(r() * 20), 1 + int(r() * 12), 1 + int(r() * 28) } }'
}

cat >schema.json <<'EOF'
{
  "age": {"type": "int", "lower": 17, "upper": 90},
  "sex": {"type": "categorical", "values": ["F", "M"], "nullable": false},
  "region": 4,
  "pay": {"type": "float", "lower": 0, "upper": 1000, "step": 0.01},
  "since": {"type": "date", "lower": "2000-01-01", "upper": "2019-12-31"}
}
EOF
make_table 300 >table.csv
privacy=(--schema schema.json --epsilon 1 --delta 1e-9)

# Records whose label follows from two of the columns, but for one in ten.
make_labelled() { # rows, seed
    awk -v rows="$1" -v seed="$2" 'function r() { seed = (seed * 16807) % 2147483647; return seed / 2147483647 }
        BEGIN { print "age,colour,score,label,pay"
            for (i = 0; i < rows; i++) {
                age = 18 + int(r() * 60); colour = int(r() * 3); score = r() * 10
                yes = (age > 45) + (colour == 1) + (score > 5) >= 2; if (r() < 0.1) yes = 1 - yes
                printf "%d,%s,%s,%s,%.2f\n", age, substr("redgrnblu", 3 * colour + 1, 3),
                    r() < 0.05 ? "" : sprintf("%.3f", score),
                    yes ? "yes" : "no", 10 * age + 100 * colour } }'
}

labelled_schema() {
    cat <<'EOF'
{
  "age": {"type": "int", "lower": 18, "upper": 80},
  "colour": {"type": "categorical", "values": ["red", "grn", "blu"]},
  "score": {"type": "float", "lower": 0, "upper": 10},
  "label": {"type": "categorical", "values": ["no", "yes"]},
  "pay": {"type": "float", "lower": 0, "upper": 2000}
}
EOF
}

new_ledger() { # path, epsilon
    rm -f "$1" "$1"-*
    nw-ledger create "$1" --epsilon "$2" --delta 1e-9 --adjacency add-remove --quiet
}

charges() { # ledger: number of charges
    nw-ledger show "$1" --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["events"]))'
}

# Nothing of an output that was not wanted or not finished: no file of that name and none that begins with it.
leftovers() { # path
    compgen -G "$1*"
}

# Runs a command that must fail, in the way it must: exit code, one message on standard error that begins with the program's name
# and matches, nothing on standard output, no output file, no charge to the case's ledger, l.nwl.
refuses() { # name, exit code, pattern of the message, command...
    local name=$1 code=$2 pattern=$3 got before after
    shift 3
    before=$(test -r l.nwl && cksum l.nwl l.nwl-wal 2>/dev/null)
    timeout 20 "$@" >refused.out 2>refused.err
    got=$?
    after=$(test -r l.nwl && cksum l.nwl l.nwl-wal 2>/dev/null)
    if [[ $got != "$code" ]]; then
        not_ok "$name" "exit $got, must be $code: $*" "$(cat refused.err)"
    elif ! head -n 1 refused.err | grep -Eq "^nw-(synth|stats|ledger|account|train|hitters|kde|diff2): .*$pattern"; then
        not_ok "$name" "the message does not match $pattern: $*" "$(cat refused.err)"
    elif [[ $(wc -l <refused.err) != 1 ]]; then
        not_ok "$name" "must be one line: $*" "$(cat refused.err)"
    elif [[ -s refused.out ]]; then
        not_ok "$name" "wrote on standard output: $*" "$(head -c 300 refused.out)"
    elif leftovers out.csv >/dev/null; then
        not_ok "$name" "left $(leftovers out.csv): $*"
        rm -f out.csv*
    elif [[ $before != "$after" ]]; then
        not_ok "$name" "the ledger changed: $*"
    else
        ok "$name"
    fi
}
