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
    --schema | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --columns) return ;;
    --header) mapfile -t COMPREPLY < <(compgen -W "auto yes no" -- "$word"); return ;;
    --project) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
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
    --landmark-rows) return ;;
    --expected-points) return ;;
    --expected-density) return ;;
    --public-seed) return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --seed-insecure) return ;;
    --label) return ;;
    --labels) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --classes) return ;;
    --sizes-share) return ;;
    --choose-bandwidth) return ;;
    --dimension) return ;;
    esac
    options="-i --data -s --schema --columns --header --scale --unit-norm --project -k --kernel -b --bandwidth --convention --power --lower --upper -e --epsilon -d --delta -a --adjacency -n --n-public --estimator --size --landmarks --landmark-rows --expected-points --expected-density --public-seed -l --ledger -o --output --seed-insecure --json -q --quiet --label --labels --classes --sizes-share --partial --choose-bandwidth --estimate --dimension -h --help -V --version --completion "
    ;;
    merge)
    case $before in
    --part | -i) return ;;
    --dimension) return ;;
    --schema | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --columns) return ;;
    --header) mapfile -t COMPREPLY < <(compgen -W "auto yes no" -- "$word"); return ;;
    --project) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
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
    --landmark-rows) return ;;
    --expected-points) return ;;
    --expected-density) return ;;
    --public-seed) return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --seed-insecure) return ;;
    esac
    options="-i --part --dimension -s --schema --columns --header --scale --unit-norm --project -k --kernel -b --bandwidth --convention --power --lower --upper -e --epsilon -d --delta -a --adjacency -n --n-public --estimator --size --landmarks --landmark-rows --expected-points --expected-density --public-seed -l --ledger -o --output --seed-insecure --json -q --quiet -h --help -V --version --completion "
    ;;
    query)
    case $before in
    --data | -i) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --rows) return ;;
    --header) mapfile -t COMPREPLY < <(compgen -W "auto yes no" -- "$word"); return ;;
    --project) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --top) return ;;
    --outliers) return ;;
    esac
    options="-i --data --rows --header --project -o --output --top --outliers --average --json -h --help -V --version --completion "
    ;;
    classify)
    case $before in
    --structures | -s) return ;;
    --data | -i) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --rows) return ;;
    --header) mapfile -t COMPREPLY < <(compgen -W "auto yes no" -- "$word"); return ;;
    --project) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --truth) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --label) return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-s --structures -i --data --rows --header --project --truth --label -o --output --scores --json -h --help -V --version --completion "
    ;;
    plot)
    case $before in
    --lower) return ;;
    --upper) return ;;
    --title) return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="--lower --upper --title -o --output -h --help -V --version --completion "
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
