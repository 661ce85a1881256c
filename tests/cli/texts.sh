#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# texts.sh - help, version, completion and manual pages say what the programs do.
. "$(dirname "$0")/lib.sh"

# Every long option that the program's own table has, as its completion lists them.
options_of() { # program
    "$1" --completion | grep -o -- '--[a-z][a-z-]*' | sort -u | grep -v -- "--completion-"
}

lists_all() { # program, file: the file has every option of the program
    local option missing=
    for option in $(options_of "$1"); do
        grep -Eq -- "(^|[^a-z-])$option([^a-z-]|\$)" "$2" || missing+=" $option"
    done
    [[ -z $missing ]] || { echo "missing:$missing" && return 1; }
}

completes() { # name, wanted words in order, command line...: the last word is the one being completed
    local name=$1 wanted=$2
    shift 2
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    "_${1//-/_}"
    if [[ ${COMPREPLY[*]} == "$wanted" ]]; then ok "$name"; else not_ok "$name" "is ${COMPREPLY[*]}" "must be $wanted"; fi
}

for program in nw-account nw-bags nw-hitters nw-synth nw-stats nw-ledger; do
    $program --help >help.txt 2>help.err
    check "${program}_help__succeeds_on_stdout" test $? = 0 -a -s help.txt -a ! -s help.err
    check "${program}_help__is_at_most_80_columns" test "$(wc -L <help.txt)" -le 80
    check "${program}_help__lists_every_option" lists_all $program help.txt
    check "${program}_help__has_no_trailing_blanks" test "$(grep -c ' $' help.txt)" = 0
    check "${program}_has_options" test "$(options_of $program | wc -l)" -ge 10
    $program --version >version.txt
    check "${program}_version__names_the_licence" grep -q 'Apache-2.0' version.txt
    check "${program}_version__names_program_and_version" grep -Eq "^$program [0-9]+\.[0-9]+\.[0-9]+$" version.txt
    $program --completion >completion.bash
    check "${program}_completion__is_the_installed_one" cmp completion.bash "$root/apps/completion/$program.bash"
    man_page=$root/docs/man/$program.1
    # In mdoc a long option is "Fl -name".
    sed -E 's/Fl -([a-z])/--\1/g' "$man_page" >man.txt
    check "${program}_man__mentions_every_option" lists_all $program man.txt
    if command -v groff >/dev/null; then
        groff -ww -mandoc -Tascii "$man_page" 2>man.err >man.ascii
        check "${program}_man__renders_without_warnings" test -s man.ascii -a ! -s man.err
    else
        skip "${program}_man__renders_without_warnings" 'no groff'
    fi
    # shellcheck disable=SC1090
    . "./completion.bash"
done
nw-synth nonsense --help >help.txt
check help__helps_after_mistakes grep -q '^usage: ' help.txt
nw-account rdp --help >help.txt
check help_of_a_command__is_its_own test "$(grep -c '^usage: nw-account rdp ' help.txt) $(grep -c -- --sigma help.txt)" = '1 0'
touch 'a b.csv'
completes synth_options '--epsilon' nw-synth --ep
completes synth_choices 'add-remove replace-one' nw-synth table.csv --adjacency ''
completes synth_choice_after_equals 'genetic' nw-synth --engine = gen
completes synth_file 'schema.json' nw-synth --schema sch
completes synth_file_with_blank 'a b.csv' nw-synth a
completes synth_nothing_for_numbers '' nw-synth --epsilon ''
completes stats_options '--query' nw-stats --que
completes stats_nothing_for_queries '' nw-stats --query m
completes ledger_commands 'create charge commit' nw-ledger c
completes ledger_options '--anchor' nw-ledger verify p.nwl --an
completes ledger_options_of_another_command '' nw-ledger show --an
completes ledger_choices 'zcdp' nw-ledger create --filter z
completes account_commands 'calibrate curve' nw-account c
completes account_options '--svg' nw-account curve --s
completes account_choices 'zero-out' nw-account dpsgd --adjacency z
completes account_nothing_for_numbers '' nw-account dpsgd --sigma ''
# Every type of event and every strategy that the reader knows is in the manual, with its keys.
sed -E 's/^\.[A-Z][a-z] //; s/[",]//g' "$root/docs/man/nw-account.1" >man.txt
names() { # file, function: the words that it returns
    sed -n "/$2(/,/^}/p" "$root/accountant/$1" | grep -oE 'return "[a-z_0-9 ]+' | cut -d'"' -f2 | tr ' ' '\n'
}
known=$(names event.c nw__event_kind_name; names event.c nw__event_parameter_name; names event_json.c keys_of)
known+=" dense toeplitz banded blt kind steps coefficients theta bands max_participations min_separation norm value"
# shellcheck disable=SC2086
for word in $known; do grep -qw -- "$word" man.txt || echo "$word"; done | sort -u >missing.txt
is nw-account_man__has_the_whole_grammar "$(cat missing.txt)" ''
finish
