# bash completion for nw-ledger, made by nw-ledger --completion
_nw_ledger()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=
    COMPREPLY=()
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "create group show verify export charge reserve commit -h --help -V --version --completion " -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    create)
    case $before in
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one zero-out replace-label" -- "$word"); return ;;
    --filter) mapfile -t COMPREPLY < <(compgen -W "auto gdp zcdp pure renyi" -- "$word"); return ;;
    --order) return ;;
    --schedule | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --unit | -u) return ;;
    esac
    options="-e --epsilon -d --delta -a --adjacency --filter --order -s --schedule -u --unit --json -q --quiet -h --help -V --version --completion "
    ;;
    group)
    case $before in
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    esac
    options="-e --epsilon -d --delta --json -q --quiet -h --help -V --version --completion "
    ;;
    show)
    case $before in
    esac
    options="--json -h --help -V --version --completion "
    ;;
    verify)
    case $before in
    --anchor) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="--anchor --json -q --quiet -h --help -V --version --completion "
    ;;
    export)
    case $before in
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
    options="-o --output -h --help -V --version --completion "
    ;;
    charge)
    case $before in
    --label | -l) return ;;
    --group | -g) return ;;
    esac
    options="-l --label -g --group --json -q --quiet -h --help -V --version --completion "
    ;;
    reserve)
    case $before in
    --steps | -n) return ;;
    --label | -l) return ;;
    --group | -g) return ;;
    esac
    options="-n --steps -l --label -g --group --json -q --quiet -h --help -V --version --completion "
    ;;
    commit)
    case $before in
    --used | -n) return ;;
    esac
    options="-n --used --json -q --quiet -h --help -V --version --completion "
    ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _nw_ledger nw-ledger
