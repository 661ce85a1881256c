# bash completion for nw-hitters, made by nw-hitters --completion
_nw_hitters()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=
    COMPREPLY=()
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "simulate params report aggregate merge step estimate -h --help -V --version --completion " -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    simulate)
    case $before in
    --items | -i) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --columns) return ;;
    --generate | -g) return ;;
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --top | -k) return ;;
    --bits | -b) return ;;
    --encoding) mapfile -t COMPREPLY < <(compgen -W "u64 letters5 utf8 hash" -- "$word"); return ;;
    --protocol | -p) mapfile -t COMPREPLY < <(compgen -W "pooled pem fedpem shared central" -- "$word"); return ;;
    --levels) return ;;
    --step) return ;;
    --keep) return ;;
    --shared) return ;;
    --threshold) return ;;
    --seed-bits) return ;;
    --runs | -r) return ;;
    --seed-insecure) return ;;
    --threads | -t) return ;;
    --picture) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-i --items --columns -g --generate -e --epsilon -d --delta -k --top -b --bits --encoding -p --protocol --levels --step --keep --shared --threshold --adaptive --prune --public-coin --seed-bits -r --runs --exact --fast --seed-insecure -t --threads --picture -o --output --json -q --quiet -h --help -V --version --completion "
    ;;
    params)
    case $before in
    --epsilon | -e) return ;;
    --top | -k) return ;;
    --bits | -b) return ;;
    --encoding) mapfile -t COMPREPLY < <(compgen -W "u64 letters5 utf8 hash" -- "$word"); return ;;
    --protocol | -p) mapfile -t COMPREPLY < <(compgen -W "pooled pem fedpem shared" -- "$word"); return ;;
    --parties) return ;;
    --levels) return ;;
    --step) return ;;
    --keep) return ;;
    --shared) return ;;
    --threshold) return ;;
    --seed-bits) return ;;
    --id) return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-e --epsilon -k --top -b --bits --encoding -p --protocol --parties --levels --step --keep --shared --threshold --adaptive --prune --public-coin --seed-bits --id -o --output -q --quiet -h --help -V --version --completion "
    ;;
    report)
    case $before in
    --campaign | -c) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --insecure-seed) return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-c --campaign --insecure-seed -o --output -q --quiet -h --help -V --version --completion "
    ;;
    aggregate)
    case $before in
    --campaign | -c) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-c --campaign -o --output --json -q --quiet -h --help -V --version --completion "
    ;;
    merge)
    case $before in
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-o --output -q --quiet -h --help -V --version --completion "
    ;;
    step)
    case $before in
    --campaign | -c) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --state | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --aggregate | -a) return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-c --campaign -s --state -a --aggregate -o --output -q --quiet -h --help -V --version --completion "
    ;;
    estimate)
    case $before in
    --campaign | -c) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --state | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --dictionary) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-c --campaign -s --state --dictionary -o --output --json -q --quiet -h --help -V --version --completion "
    ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _nw_hitters nw-hitters
