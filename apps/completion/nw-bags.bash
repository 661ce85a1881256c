# bash completion for nw-bags, made by nw-bags --completion
_nw_bags()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=
    COMPREPLY=()
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -f -W "predict -i --data -t --target -e --epsilon -d --delta -c --clip --center --task --positive -s --schema -b --bag -r --rho --ridge --curated --sort-by --bag-column --signal-variance --residual-variance --public-seed -T --test -l --ledger --label -o --save-model --bags --plot --estimate --rows --features --seed-insecure --json -q --quiet -h --help -V --version --completion " -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    predict)
    case $before in
    --data | -i) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-i --data -o --output -h --help -V --version --completion "
    ;;
    *)
    case $before in
    --data | -i) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --target | -t) return ;;
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --clip | -c) return ;;
    --center) return ;;
    --task) mapfile -t COMPREPLY < <(compgen -W "regress classify" -- "$word"); return ;;
    --positive) return ;;
    --schema | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --bag | -b) return ;;
    --rho | -r) return ;;
    --ridge) return ;;
    --sort-by) return ;;
    --bag-column) return ;;
    --signal-variance) return ;;
    --residual-variance) return ;;
    --public-seed) return ;;
    --test | -T) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --label) return ;;
    --save-model | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --bags) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --plot) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --rows) return ;;
    --features) return ;;
    --seed-insecure) return ;;
    esac
    options="-i --data -t --target -e --epsilon -d --delta -c --clip --center --task --positive -s --schema -b --bag -r --rho --ridge --curated --sort-by --bag-column --signal-variance --residual-variance --public-seed -T --test -l --ledger --label -o --save-model --bags --plot --estimate --rows --features --seed-insecure --json -q --quiet -h --help -V --version --completion "
    ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _nw_bags nw-bags
