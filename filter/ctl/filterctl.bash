# Completion of filterctl for bash: source it, or install it as
# /usr/share/bash-completion/completions/filterctl
_filterctl() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
    local verbs="match explain lint test coverage diff convert"
    local options="--scope --no-limits --output --help"
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W "$verbs --help --version" -- "$word"))
        return
    fi
    case $before in
    -s | --scope)
        COMPREPLY=($(compgen -W "MessageAttributes MessageBody" -- "$word"))
        return
        ;;
    -o | --output)
        if [ "$verb" = test ]; then
            COMPREPLY=($(compgen -W "text json tap junit" -- "$word"))
        else
            COMPREPLY=($(compgen -W "text json" -- "$word"))
        fi
        return
        ;;
    esac
    case $verb in
    match) options="$options --policy --body --invert --count --quiet" ;;
    explain) options="$options --policy --body" ;;
    lint) options="$options --policy --body --corpus" ;;
    test) options="$options --policy" ;;
    coverage | diff) options="$options --policy --body --examples" ;;
    esac
    case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
}
complete -o filenames -F _filterctl filterctl
