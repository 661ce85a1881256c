#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# refusals.sh - bad input and bad options of nw-synth: the exit code, a message that names the thing, nothing charged, nothing
# written.
. "$(dirname "$0")/lib.sh"
new_ledger l.nwl 4

synth() { # name, code, pattern, table, schema, epsilon, delta, more options...
    local name=$1 code=$2 pattern=$3 table=$4 schema=$5 epsilon=$6 delta=$7
    shift 7
    refuses "$name" "$code" "$pattern" \
        nw-synth "$table" --schema "$schema" --epsilon "$epsilon" --delta "$delta" --ledger l.nwl -o out.csv "$@"
}

table() { # name, code, pattern: the file bad.csv as table
    synth "$1" "$2" "$3" bad.csv schema.json 1 1e-9
}

schema() { # name, pattern, text: as schema
    printf '%s' "$3" >bad.json
    synth "$1" 65 "$2" table.csv bad.json 1 1e-9
}

# ---- tables ----
synth missing_table 66 'nothing.csv: No such file' nothing.csv schema.json 1 1e-9
synth table_is_folder 66 'folder' . schema.json 1 1e-9
: >bad.csv
table empty_file 65 'bad.csv: .*empty'
head -n 1 table.csv >bad.csv
table header_only 65 'bad.csv: .*no records'
{ cat table.csv; echo '20,F,1,5'; } >bad.csv
table ragged_row_short 65 'bad.csv.*line 302.*4 of 5'
{ cat table.csv; echo '20,F,1,5,2001-01-01,9'; } >bad.csv
table ragged_row_long 65 'bad.csv.*line 302.*more cells'
{ cat table.csv; echo '20,"F,1,5,2001-01-01'; } >bad.csv
table unclosed_quote 65 'bad.csv.*line 302.*quote'
sed '1s/pay/pau/' table.csv >bad.csv
table unknown_column 65 'bad.csv.*"pau"'
cut -d, -f1-4 table.csv >bad.csv
table missing_column 65 'bad.csv.*lacks.*"since"'
sed '1s/pay/age/' table.csv >bad.csv
table column_twice_in_header 65 'bad.csv.*"age" twice'
{ cat table.csv; printf '20,\0F,1,5,2001-01-01\n'; } >bad.csv
table nul_byte 65 'bad.csv.*line 302.*NUL'
{ cat table.csv; printf '20,%s,1,5,2001-01-01\n' "$(head -c 1200000 /dev/zero | tr '\0' x)"; } >bad.csv
table cell_of_1_mb 65 'bad.csv.*line 302'
gzip -c table.csv | head -c 600 >bad.csv
table gzip_cut_short 65 'bad.csv.*gzip'

# ---- schemas ----
synth missing_schema 66 'nothing.json: No such file' table.csv nothing.json 1 1e-9
schema empty_schema 'bad.json' ''
schema schema_of_no_columns 'bad.json' '{}'
schema broken_json 'bad.json.*line' '{"age": {'
schema lower_above_upper 'bad.json.*age.*lower' '{"age": {"type": "int", "lower": 9, "upper": 3}}'
schema duplicate_column 'bad.json.*age' '{"age": 3, "age": 4}'
schema unknown_type 'bad.json.*age.*type' '{"age": {"type": "integer", "lower": 0, "upper": 3}}'

# ---- privacy parameters ----
for bad in 0 -1 nan inf 1e9 65 1x '' ' 1' 0x1p0 1e-400; do
    synth "epsilon_is_${bad:-empty}" 64 '--epsilon: is ".*must be a number in \(0, 64\]' table.csv schema.json "$bad" 1e-9
done
for bad in 0 -0.1 1 1.5 nan 1e-9e; do
    synth "delta_is_$bad" 64 '--delta: is ".*must be a number in \(0, 1\)' table.csv schema.json 1 "$bad"
done
synth adjacency_is_unknown 64 '--adjacency: .*add-remove.replace-one' table.csv schema.json 1 1e-9 --adjacency both
synth adjacency_is_not_the_ledgers 64 '--adjacency: is replace_one, must be add_remove.*l.nwl' table.csv schema.json 1 1e-9 \
    --adjacency replace-one
refuses epsilon_missing 64 '--epsilon: missing' nw-synth table.csv --schema schema.json --delta 1e-9 -o out.csv
refuses delta_missing 64 '--delta: missing' nw-synth table.csv --schema schema.json --epsilon 1 -o out.csv
refuses schema_missing 64 '--schema: missing' nw-synth nothing.csv --epsilon 1 --delta 1e-9 -o out.csv
sed '1s/pay/"pay, ""gross""\x1b"/' table.csv >named.csv
nw-synth named.csv --epsilon 1 --delta 1e-9 --ledger l.nwl -o out.csv >run.out 2>run.err
is schema_missing__exit_code "$? $(cat run.out)" '64 '
is schema_missing__names_the_columns "$(grep -c '^  "[a-z]*.*": {"type": ?},*$' run.err)" 5
like schema_missing__escapes_names run.err '^  "pay, \\"gross\\"\\u001B": \{"type": \?\},$'
like schema_missing__names_the_command run.err 'nw-synth infer-schema named.csv --epsilon'
is schema_missing__charges_and_writes_nothing "$(charges l.nwl) $(leftovers out.csv)" '0 '
sed -n '/^{/,/^}/p' run.err >draft.json
synth draft_unedited_is_no_schema 65 'draft.json: .*line 2' table.csv draft.json 1 1e-9
refuses output_missing 64 '--output: missing' nw-synth table.csv "${privacy[@]}"
refuses table_missing 64 'TABLE.csv: missing' nw-synth "${privacy[@]}" -o out.csv

# ---- options ----
synth unknown_option 64 '--epsillon: no such option, did you mean --epsilon' table.csv schema.json 1 1e-9 --epsillon 3
synth unknown_option_far_off 64 '--frobnicate: no such option, see --help' table.csv schema.json 1 1e-9 --frobnicate
synth unknown_letter 64 '-z: no such option' table.csv schema.json 1 1e-9 -z
synth abbreviation 64 '--eng: no such option' table.csv schema.json 1 1e-9 --eng gibbs
synth missing_value 64 '--rows: has no value' table.csv schema.json 1 1e-9 --rows
synth option_instead_of_value 64 '--rows: has no value' table.csv schema.json 1 1e-9 --rows --quiet
synth flag_with_value 64 '--quiet: has the value' table.csv schema.json 1 1e-9 --quiet=yes
synth option_given_twice 64 'given twice' table.csv schema.json 1 1e-9 --epsilon 2
synth two_tables 64 'table.csv: one operand too many' table.csv schema.json 1 1e-9 table.csv
refuses misspelt_command 64 'mesure: no such command, did you mean measure' nw-synth mesure table.csv --epsilon 1
refuses all_that_is_missing_is_named 64 '--epsilon, --delta, --measurements: missing, must be given' nw-synth release a.part
synth rows_is_0 64 '--rows: is "0"' table.csv schema.json 1 1e-9 --rows 0
synth rows_is_fraction 64 '--rows: is "1.5"' table.csv schema.json 1 1e-9 --rows 1.5
synth rows_is_negative 64 '--rows: is "-3"' table.csv schema.json 1 1e-9 --rows -3
synth rows_overflows 64 '--rows: is "99999999999999999999999"' table.csv schema.json 1 1e-9 \
    --rows 99999999999999999999999
synth engine_is_unknown 64 '--engine: .*gibbs.genetic' table.csv schema.json 1 1e-9 --engine gips
synth threads_is_text 64 '--threads: is "two"' table.csv schema.json 1 1e-9 --threads two
synth insecure_seed_with_ledger 64 '--insecure-seed: .*ledger' table.csv schema.json 1 1e-9 --insecure-seed 1
refuses json_and_table_on_stdout 64 '--json: .*standard output' nw-synth table.csv "${privacy[@]}" -o - --json
refuses output_is_table 64 '--output: is the same file as' nw-synth table.csv "${privacy[@]}" -o ./table.csv
refuses output_is_ledger 64 '--output: is the same file as' nw-synth table.csv "${privacy[@]}" --ledger l.nwl -o ./l.nwl
synth manifest_is_output 64 '--manifest: is the same file' table.csv schema.json 1 1e-9 --manifest out.csv
synth manifest_is_stdout 64 '--manifest: .*regular file' table.csv schema.json 1 1e-9 --manifest -

# ---- outputs ----
refuses output_in_no_folder 73 'nowhere/out.csv: No such file' \
    nw-synth table.csv "${privacy[@]}" --ledger l.nwl -o nowhere/out.csv
refuses output_is_folder 73 'is a folder' nw-synth table.csv "${privacy[@]}" --ledger l.nwl -o .
refuses output_under_a_file 73 'schema.json/out.csv: Not a directory' \
    nw-synth table.csv "${privacy[@]}" --ledger l.nwl -o schema.json/out.csv
refuses output_name_too_long 73 'File name too long' \
    nw-synth table.csv "${privacy[@]}" --ledger l.nwl -o "$(printf 'x%.0s' {1..250})"
synth manifest_in_no_folder 73 'nowhere/m.json: No such file' table.csv schema.json 1 1e-9 --manifest nowhere/m.json

# ---- ledgers ----
ledger() { # name, code, pattern, ledger
    refuses "$1" "$2" "$3" nw-synth table.csv "${privacy[@]}" --ledger "$4" -o out.csv
}
ledger missing_ledger 66 'nothing.nwl: No such file' nothing.nwl
ledger ledger_is_a_table 65 'table.csv' table.csv
: >empty.nwl
ledger ledger_is_empty 65 'empty.nwl' empty.nwl
new_ledger small.nwl 0.5
ledger over_budget 3 'small.nwl: the release does not fit, epsilon must be at most 0\.4999' small.nwl
new_ledger spent.nwl 1.2
check first_release_fits nw-synth table.csv "${privacy[@]}" --ledger spent.nwl -o out.csv
rm -f out.csv
ledger second_release_does_not_fit 3 'spent.nwl: the release does not fit' spent.nwl
check still_one_charge test "$(charges spent.nwl)" = 1
cp spent.nwl bad.nwl
python3 -c 'f = open("bad.nwl", "r+b"); data = f.read(); at = data.index(b"rounded_gaussian"); f.seek(at); f.write(b"R")'
ledger altered_ledger 65 'altered' bad.nwl
head -c 5000 spent.nwl >cut.nwl
ledger ledger_cut_short 65 'cut.nwl' cut.nwl

# A user who is not root is refused by the mode; root is refused by a file system that is mounted read-only.
mkdir -p fixed
new_ledger fixed/l.nwl 4
if [[ $(id -u) != 0 ]]; then
    chmod 400 fixed/l.nwl
    ledger read_only_ledger 74 'fixed/l.nwl' fixed/l.nwl
elif unshare -m true 2>/dev/null; then
    fixed() {
        unshare -m sh -c 'mount --bind fixed fixed && mount -o remount,ro,bind fixed && exec "$@"' sh "$@"
    }
    export -f fixed
    refuses read_only_ledger 74 'fixed/l.nwl' bash -c 'fixed "$@"' bash \
        nw-synth table.csv "${privacy[@]}" --ledger fixed/l.nwl -o out.csv
else
    skip read_only_ledger 'root, and no mount name space'
fi
finish
