# bash completion for nw-stats, made by nw-stats --completion
_nw_stats()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=
    COMPREPLY=()
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $before in
    --schema | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --query | -Q) return ;;
    --unit | -u) return ;;
    --max-keys) return ;;
    --max-count) return ;;
    --confidence) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one" -- "$word"); return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --rows | -n) return ;;
    --insecure-seed) return ;;
    esac
    options="-s --schema -e --epsilon -d --delta -Q --query -u --unit --max-keys --max-count --confidence -a --adjacency -l --ledger -o --output --json --estimate -n --rows --insecure-seed -q --quiet -h --help -V --version --completion "
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _nw_stats nw-stats
