# Completion of sekisho for fish: sekisho completion fish | source

function __sekisho_complete
    set -l words (commandline -opc)
    set -l begun (commandline -ct)
    set -l found ($words[1] __complete $words[2..] "$begun" 2>/dev/null)
    if test "$found[1]" = ":files"
        __fish_complete_path "$begun"
    else
        printf '%s\n' $found
    end
end
complete -c sekisho -f -a '(__sekisho_complete)'
