# bash completion for nw-train, made by nw-train --completion
_nw_train()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=
    COMPREPLY=()
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -f -W "eval predict -d --data -f --format -t --target -s --schema --task -m --model -e --epsilon --delta --sigma -a --adjacency --records --epochs --steps -b --batch --sampling --noise --bands -c --clip --clipping --quantile --optimizer -r --learning-rate --momentum --average --weight-decay --classes -T --test -l --ledger --label -o --output --checkpoint --resume --curve --memory --json --estimate --seed-insecure -q --quiet -h --help -V --version --completion " -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    eval)
    case $before in
    --data | -d) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --memory) return ;;
    esac
    options="-d --data --memory --json -h --help -V --version --completion "
    ;;
    predict)
    case $before in
    --data | -d) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --memory) return ;;
    esac
    options="-d --data -o --output --memory -h --help -V --version --completion "
    ;;
    *)
    case $before in
    --data | -d) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --format | -f) mapfile -t COMPREPLY < <(compgen -W "idx csv text" -- "$word"); return ;;
    --target | -t) return ;;
    --schema | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --task) mapfile -t COMPREPLY < <(compgen -W "classify regress" -- "$word"); return ;;
    --model | -m) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --epsilon | -e) return ;;
    --delta) return ;;
    --sigma) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one zero-out" -- "$word"); return ;;
    --records) return ;;
    --epochs) return ;;
    --steps) return ;;
    --batch | -b) return ;;
    --sampling) mapfile -t COMPREPLY < <(compgen -W "poisson shuffled full fixed-size cyclic" -- "$word"); return ;;
    --noise) mapfile -t COMPREPLY < <(compgen -W "independent tree banded" -- "$word"); return ;;
    --bands) return ;;
    --clip | -c) return ;;
    --clipping) mapfile -t COMPREPLY < <(compgen -W "flat per-layer auto global" -- "$word"); return ;;
    --quantile) return ;;
    --optimizer) mapfile -t COMPREPLY < <(compgen -W "sgd adam adam-bc" -- "$word"); return ;;
    --learning-rate | -r) return ;;
    --momentum) return ;;
    --average) return ;;
    --weight-decay) return ;;
    --classes) return ;;
    --test | -T) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --label) return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --checkpoint) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --curve) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --memory) return ;;
    --seed-insecure) return ;;
    esac
    options="-d --data -f --format -t --target -s --schema --task -m --model -e --epsilon --delta --sigma -a --adjacency --records --epochs --steps -b --batch --sampling --noise --bands -c --clip --clipping --quantile --optimizer -r --learning-rate --momentum --average --weight-decay --classes -T --test -l --ledger --label -o --output --checkpoint --resume --curve --memory --json --estimate --seed-insecure -q --quiet -h --help -V --version --completion "
    ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _nw_train nw-train
