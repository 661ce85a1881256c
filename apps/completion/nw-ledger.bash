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
        mapfile -t COMPREPLY < <(compgen -W "create show verify charge -h --help -V --version --completion " -- "$word")
        return
    fi
    if [[ ${COMP_WORDS[1]} == create ]]; then
    case $before in
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one zero-out" -- "$word"); return ;;
    --filter) mapfile -t COMPREPLY < <(compgen -W "auto gdp zcdp pure" -- "$word"); return ;;
    --unit | -u) return ;;
    esac
    options="-e --epsilon -d --delta -a --adjacency --filter -u --unit --json -q --quiet -h --help -V --version --completion "
    fi
    if [[ ${COMP_WORDS[1]} == show ]]; then
    case $before in
    esac
    options="--json -h --help -V --version --completion "
    fi
    if [[ ${COMP_WORDS[1]} == verify ]]; then
    case $before in
    --anchor) return ;;
    esac
    options="--anchor --json -q --quiet -h --help -V --version --completion "
    fi
    if [[ ${COMP_WORDS[1]} == charge ]]; then
    case $before in
    --label | -l) return ;;
    esac
    options="-l --label --json -q --quiet -h --help -V --version --completion "
    fi
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _nw_ledger nw-ledger
