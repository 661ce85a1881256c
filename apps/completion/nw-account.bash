# bash completion for nw-account, made by nw-account --completion
_nw_account()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=
    COMPREPLY=()
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "eps delta rdp calibrate curve dpsgd gaussian laplace query -h --help -V --version --completion " -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    eps)
    case $before in
    --delta | -d) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one zero-out replace-label" -- "$word"); return ;;
    esac
    options="-d --delta -a --adjacency --upper-only --json -h --help -V --version --completion "
    ;;
    delta)
    case $before in
    --epsilon | -e) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one zero-out replace-label" -- "$word"); return ;;
    esac
    options="-e --epsilon -a --adjacency --upper-only --json -h --help -V --version --completion "
    ;;
    rdp)
    case $before in
    --order | -o) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one zero-out replace-label" -- "$word"); return ;;
    esac
    options="-o --order -a --adjacency --json -h --help -V --version --completion "
    ;;
    calibrate)
    case $before in
    --epsilon | -e) return ;;
    --delta | -d) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one zero-out replace-label" -- "$word"); return ;;
    esac
    options="-e --epsilon -d --delta -a --adjacency --json -h --help -V --version --completion "
    ;;
    curve)
    case $before in
    --svg) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one zero-out replace-label" -- "$word"); return ;;
    esac
    options="--svg -a --adjacency -h --help -V --version --completion "
    ;;
    dpsgd)
    case $before in
    --q | -q) return ;;
    --batch-size | -b) return ;;
    --examples | -x) return ;;
    --sigma) return ;;
    --steps | -n) return ;;
    --epochs) return ;;
    --delta | -d) return ;;
    --epsilon | -e) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one zero-out replace-label" -- "$word"); return ;;
    esac
    options="-q --q -b --batch-size -x --examples --sigma -n --steps --epochs -d --delta -e --epsilon -a --adjacency --upper-only --json -h --help -V --version --completion "
    ;;
    gaussian)
    case $before in
    --sigma) return ;;
    --sensitivity | -s) return ;;
    --steps | -n) return ;;
    --delta | -d) return ;;
    --epsilon | -e) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one zero-out replace-label" -- "$word"); return ;;
    esac
    options="--sigma -s --sensitivity -n --steps -d --delta -e --epsilon -a --adjacency --upper-only --json -h --help -V --version --completion "
    ;;
    laplace)
    case $before in
    --scale) return ;;
    --sensitivity | -s) return ;;
    --steps | -n) return ;;
    --delta | -d) return ;;
    --epsilon | -e) return ;;
    --adjacency | -a) mapfile -t COMPREPLY < <(compgen -W "add-remove replace-one zero-out replace-label" -- "$word"); return ;;
    esac
    options="--scale -s --sensitivity -n --steps -d --delta -e --epsilon -a --adjacency --upper-only --json -h --help -V --version --completion "
    ;;
    query)
    case $before in
    esac
    options="--lines --json -h --help -V --version --completion "
    ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _nw_account nw-account
