# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of foresnap(1) for bash. Commands and options come from --help, so that whatever
# there is is completed; names of domains come from virsh, those of snapshots from the
# repository.

# The program as it was typed, with what says where libvirt and the repository are.
_foresnap_ask ()
{
    local i call=("${words[0]/#\~/$HOME}")
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        -c | --connect | -r | --repo) call+=("${words[i]}" "${words[i + 1]}"); i=$((i + 1)) ;;
        esac
    done
    "${call[@]}" "$@" 2>/dev/null
}

# _foresnap_options [COMMAND] : long and short ones, with the kind of their value: "--hours HOURS"
_foresnap_options ()
{
    "${words[0]/#\~/$HOME}" ${1:+"$1"} --help 2>/dev/null |
        sed -n 's/^  \(-[A-Za-z], \)\{0,1\}\(--[a-z0-9-]*\)\( [A-Z][A-Z:+]*\)\{0,1\}\( .*\)\{0,1\}$/\1\2\3/p' |
        sed 's/^\(-[A-Za-z]\), \(--[a-z0-9-]*\)\(.*\)$/\1\3\n\2\3/'
}

_foresnap_domains ()
{
    local i uri=()
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        -c | --connect) uri=(-c "${words[i + 1]}") ;;
        esac
    done
    virsh -q "${uri[@]}" list --all --name 2>/dev/null
}

_foresnap_snapshots ()
{
    _foresnap_ask --json list | sed -n 's/^ *"snapshot" : "\([0-9a-f]*\)".*/\1/p'
}

_foresnap_profiles ()
{
    _foresnap_ask --json profile list | sed -n 's/^ *"name" : "\([^"]*\)".*/\1/p'
}

# _foresnap_kind KIND : candidates for a value or an argument that the help calls so
_foresnap_kind ()
{
    case $1 in
    *DOMAIN*\|SNAPSHOT*) _foresnap_domains; _foresnap_snapshots ;;
    DOMAIN*) _foresnap_domains ;;
    SNAPSHOT*) _foresnap_snapshots ;;
    PROFILE*) _foresnap_profiles ;;
    CODEC) printf '%s\n' zstd lz4 none ;;
    WHEN) printf '%s\n' auto require none ;;
    MODE) printf '%s\n' predicted lazy eager ;;
    FORMAT) printf '%s\n' raw qcow2 ;;
    esac
}

# The words and kinds of arguments in the usage line of a command, one a line.
_foresnap_arguments ()
{
    "${words[0]/#\~/$HOME}" "$1" --help 2>/dev/null | sed -n '1s/^Usage: foresnap [a-z-]* \[OPTION\.\.\.\] *//p' |
        sed 's/ or / /g; s/\[//g; s/\]//g; s/\.\.\.//g' | tr ' ' '\n' | grep . || :
}

_foresnap ()
{
    local cur prev words cword command='' i options kind candidates='' word
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n =: cur prev words cword
    else
        words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
        cur=${words[cword]} prev=${words[cword - 1]}
    fi
    COMPREPLY=()
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        -c | --connect | -r | --repo) i=$((i + 1)) ;;
        -*) ;;
        *) command=${words[i]}; break ;;
        esac
    done
    options=$(_foresnap_options; [ -z "$command" ] || _foresnap_options "$command")

    # The value of an option.
    kind=$(printf '%s\n' "$options" | sed -n "s/^${prev//[^-a-zA-Z0-9]/} \\(.*\\)/\\1/p" | tail -n 1)
    if [[ $prev == -* && $kind ]]; then
        case $kind in
        FILE | LOCATION) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        FOLDER) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
        NAME) [ "$prev" != --profile ] || kind=PROFILE ;;
        esac
        candidates=$(_foresnap_kind "$kind")
    elif [[ $cur == -* ]]; then
        candidates=$(printf '%s\n' "$options" | sed 's/ .*//')
    elif [ -z "$command" ]; then
        candidates=$("${words[0]/#\~/$HOME}" --help 2>/dev/null |
            sed -n '/^Commands:/,/^Options:/s/^  \([a-z][a-z-]*\).*/\1/p')
    else
        for word in $(_foresnap_arguments "$command"); do
            case $word in
            *FILE* | *FOLDER*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
            esac
            [[ $word != *FOLDER* && $word != *FILE* ]] || word=${word//FOLDER/}
            if [[ $word == [A-Z]* && $word != *'|'[a-z]* ]]; then
                candidates+=$'\n'$(_foresnap_kind "$word")
            else
                candidates+=$'\n'$(tr '|' '\n' <<<"$word" | grep '^[a-z]')
            fi
            [[ $command != profile ]] || candidates+=$'\n'$(_foresnap_profiles)
        done
    fi
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$candidates" -- "$cur")
}

complete -F _foresnap foresnap
