# bash completion for nw-kde, made by nw-kde --completion
_nw_kde()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=
    COMPREPLY=()
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "build merge query classify plot info -h --help -V --version --completion " -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    build)
    case $before in
    --data | -i) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --kernel | -k) mapfile -t COMPREPLY < <(compgen -W "gaussian exponential laplacian l1 l2 l2sq lpp rational-l2sq rational-l2 rational-l1" -- "$word"); return ;;
    --bandwidth | -b) return ;;
    --convention) mapfile -t COMPREPLY < <(compgen -W "plain half" -- "$word"); return ;;
    --power) return ;;
    --lower) return ;;
    --upper) return ;;
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one" -- "$word"); return ;;
    --n-public | -n) return ;;
    --estimator) mapfile -t COMPREPLY < <(compgen -W "auto moments table features hadamard landmarks grid lsh tree lsq-rff lsq-fgt" -- "$word"); return ;;
    --size) return ;;
    --landmarks) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --expected-points) return ;;
    --expected-density) return ;;
    --public-seed) return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --seed-insecure) return ;;
    --choose-bandwidth) return ;;
    --dimension) return ;;
    esac
    options="-i --data -k --kernel -b --bandwidth --convention --power --lower --upper -e --epsilon -d --delta -a --adjacency -n --n-public --estimator --size --landmarks --expected-points --expected-density --public-seed -l --ledger -o --output --seed-insecure --json -q --quiet --partial --choose-bandwidth --estimate --dimension -h --help -V --version --completion "
    ;;
    merge)
    case $before in
    --part | -i) return ;;
    --dimension) return ;;
    --kernel | -k) mapfile -t COMPREPLY < <(compgen -W "gaussian exponential laplacian l1 l2 l2sq lpp rational-l2sq rational-l2 rational-l1" -- "$word"); return ;;
    --bandwidth | -b) return ;;
    --convention) mapfile -t COMPREPLY < <(compgen -W "plain half" -- "$word"); return ;;
    --power) return ;;
    --lower) return ;;
    --upper) return ;;
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one" -- "$word"); return ;;
    --n-public | -n) return ;;
    --estimator) mapfile -t COMPREPLY < <(compgen -W "auto moments table features hadamard landmarks grid lsh tree lsq-rff lsq-fgt" -- "$word"); return ;;
    --size) return ;;
    --landmarks) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --expected-points) return ;;
    --expected-density) return ;;
    --public-seed) return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --seed-insecure) return ;;
    esac
    options="-i --part --dimension -k --kernel -b --bandwidth --convention --power --lower --upper -e --epsilon -d --delta -a --adjacency -n --n-public --estimator --size --landmarks --expected-points --expected-density --public-seed -l --ledger -o --output --seed-insecure --json -q --quiet -h --help -V --version --completion "
    ;;
    query)
    case $before in
    --data | -i) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --top) return ;;
    esac
    options="-i --data -o --output --top --json -h --help -V --version --completion "
    ;;
    classify)
    case $before in
    --structures | -s) return ;;
    --data | -i) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --truth) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-s --structures -i --data --truth -o --output --json -h --help -V --version --completion "
    ;;
    plot)
    case $before in
    --lower) return ;;
    --upper) return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="--lower --upper -o --output -h --help -V --version --completion "
    ;;
    info)
    case $before in
    esac
    options="--json -h --help -V --version --completion "
    ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _nw_kde nw-kde
