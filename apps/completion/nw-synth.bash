# bash completion for nw-synth, made by nw-synth --completion
_nw_synth()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=
    COMPREPLY=()
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -f -W "fit measure merge release score infer-schema -s --schema -e --epsilon -d --delta -o --output -l --ledger -a --adjacency -n --rows --report -m --manifest --measurements --estimate --infer-schema --infer-share -c --constraints -u --unit --max-rows-per-unit --bins --select --queries --query-count --query-seed --query-share --rounds --per-round --preset --engine --chains --sweeps -t --threads --json --unsafe-compare --insecure-seed -q --quiet -h --help -V --version --completion " -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    fit)
    case $before in
    --measurements) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --rows | -n) return ;;
    --engine) mapfile -t COMPREPLY < <(compgen -W "gibbs genetic" -- "$word"); return ;;
    --manifest | -m) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --report) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --unsafe-compare) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --seed) return ;;
    --threads | -t) return ;;
    --chains) return ;;
    --sweeps) return ;;
    esac
    options="--measurements -o --output -n --rows --engine -m --manifest --report --unsafe-compare --json --seed -t --threads --chains --sweeps -q --quiet -h --help -V --version --completion "
    ;;
    measure)
    case $before in
    --schema | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --constraints | -c) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --partial | -p) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one" -- "$word"); return ;;
    --unit | -u) return ;;
    --max-rows-per-unit) return ;;
    --parts) return ;;
    --threads | -t) return ;;
    --bins) return ;;
    --select) mapfile -t COMPREPLY < <(compgen -W "auto all adaptive" -- "$word"); return ;;
    esac
    options="-s --schema -c --constraints -e --epsilon -d --delta -p --partial -a --adjacency -u --unit --max-rows-per-unit --parts --promise-units-apart -t --threads --bins --select -q --quiet -h --help -V --version --completion "
    ;;
    merge)
    case $before in
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-o --output -q --quiet -h --help -V --version --completion "
    ;;
    release)
    case $before in
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --measurements) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --manifest | -m) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --threads | -t) return ;;
    --insecure-seed) return ;;
    esac
    options="-e --epsilon -d --delta --measurements -l --ledger -m --manifest -t --threads --insecure-seed -q --quiet -h --help -V --version --completion "
    ;;
    score)
    case $before in
    --schema | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --constraints | -c) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --bins) return ;;
    --query-count) return ;;
    --target) return ;;
    --positive) return ;;
    --test) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-s --schema -c --constraints --bins --query-count --target --positive --test --references --json -q --quiet -h --help -V --version --completion "
    ;;
    infer-schema)
    case $before in
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --insecure-seed) return ;;
    esac
    options="-e --epsilon -d --delta -o --output -l --ledger --insecure-seed --json -q --quiet -h --help -V --version --completion "
    ;;
    *)
    case $before in
    --schema | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one" -- "$word"); return ;;
    --rows | -n) return ;;
    --report) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --manifest | -m) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --measurements) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --infer-share) return ;;
    --constraints | -c) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --unit | -u) return ;;
    --max-rows-per-unit) return ;;
    --bins) return ;;
    --select) mapfile -t COMPREPLY < <(compgen -W "auto all adaptive" -- "$word"); return ;;
    --queries) mapfile -t COMPREPLY < <(compgen -W "cat cat+num prefix halfspace conjunction" -- "$word"); return ;;
    --query-count) return ;;
    --query-seed) return ;;
    --query-share) return ;;
    --rounds) return ;;
    --per-round) return ;;
    --preset) mapfile -t COMPREPLY < <(compgen -W "none private-gsd-2023" -- "$word"); return ;;
    --engine) mapfile -t COMPREPLY < <(compgen -W "gibbs genetic" -- "$word"); return ;;
    --chains) return ;;
    --sweeps) return ;;
    --threads | -t) return ;;
    --unsafe-compare) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --insecure-seed) return ;;
    esac
    options="-s --schema -e --epsilon -d --delta -o --output -l --ledger -a --adjacency -n --rows --report -m --manifest --measurements --estimate --infer-schema --infer-share -c --constraints -u --unit --max-rows-per-unit --bins --select --queries --query-count --query-seed --query-share --rounds --per-round --preset --engine --chains --sweeps -t --threads --json --unsafe-compare --insecure-seed -q --quiet -h --help -V --version --completion "
    ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _nw_synth nw-synth
