# bash completion for nw-diff2, made by nw-diff2 --completion
_nw_diff2()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=
    COMPREPLY=()
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -f -W "eval predict -d --data -s --schema -t --target --task -m --method --model --loss --huber -e --epsilon --delta -a --adjacency --records -r --rounds -j --restarts --eta --c1 --c2 -w --split -b --batch --ridge --clients -T --test -l --ledger --label -o --save-model --curve --threads --json --estimate --show-private-diagnostics --seed-insecure -q --quiet -h --help -V --version --completion " -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    eval)
    case $before in
    --data | -d) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-d --data --json -h --help -V --version --completion "
    ;;
    predict)
    case $before in
    --data | -d) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-d --data -o --output -h --help -V --version --completion "
    ;;
    *)
    case $before in
    --data | -d) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --schema | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --target | -t) return ;;
    --task) mapfile -t COMPREPLY < <(compgen -W "classify regress" -- "$word"); return ;;
    --method | -m) mapfile -t COMPREPLY < <(compgen -W "diff2 dpgd dpsgd" -- "$word"); return ;;
    --model) mapfile -t COMPREPLY < <(compgen -W "linear softplus10" -- "$word"); return ;;
    --loss) mapfile -t COMPREPLY < <(compgen -W "squared huber" -- "$word"); return ;;
    --huber) return ;;
    --epsilon | -e) return ;;
    --delta) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one" -- "$word"); return ;;
    --records) return ;;
    --rounds | -r) return ;;
    --restarts | -j) return ;;
    --eta) return ;;
    --c1) return ;;
    --c2) return ;;
    --split | -w) return ;;
    --batch | -b) return ;;
    --ridge) return ;;
    --clients) return ;;
    --test | -T) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --label) return ;;
    --save-model | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --curve) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --threads) return ;;
    --seed-insecure) return ;;
    esac
    options="-d --data -s --schema -t --target --task -m --method --model --loss --huber -e --epsilon --delta -a --adjacency --records -r --rounds -j --restarts --eta --c1 --c2 -w --split -b --batch --ridge --clients -T --test -l --ledger --label -o --save-model --curve --threads --json --estimate --show-private-diagnostics --seed-insecure -q --quiet -h --help -V --version --completion "
    ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _nw_diff2 nw-diff2
