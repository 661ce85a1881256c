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
    case $before in
    --schema | -s) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one" -- "$word"); return ;;
    --ledger | -l) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --rows | -n) return ;;
    --engine) mapfile -t COMPREPLY < <(compgen -W "gibbs genetic" -- "$word"); return ;;
    --manifest | -m) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --threads | -t) return ;;
    --queries) mapfile -t COMPREPLY < <(compgen -W "cat cat+num prefix halfspace" -- "$word"); return ;;
    --query-count) return ;;
    --query-seed) return ;;
    --query-share) return ;;
    --rounds) return ;;
    --per-round) return ;;
    --preset) mapfile -t COMPREPLY < <(compgen -W "none private-gsd-2023" -- "$word"); return ;;
    --chains) return ;;
    --sweeps) return ;;
    --bins) return ;;
    --insecure-seed) return ;;
    esac
    options="-s --schema -e --epsilon -d --delta -o --output -a --adjacency -l --ledger -n --rows --engine -m --manifest --json --estimate -t --threads --queries --query-count --query-seed --query-share --rounds --per-round --preset --chains --sweeps --bins --insecure-seed -q --quiet -h --help -V --version --completion "
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _nw_synth nw-synth
