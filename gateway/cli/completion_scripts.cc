#include <string>
#include <string_view>

#include "gateway/cli/completion.h"

namespace sekisho::cli {

namespace {

constexpr std::string_view kBash =
    R"(# Completion of sekisho for bash: source <(sekisho completion bash)
# shellcheck shell=bash

_sekisho() {
  local rest=${COMP_LINE:0:COMP_POINT} words=() found=() marks part='' ahead word i
  # Readline parts words at ":" and "=" too; here they become whole again.
  for ((i = 0; i <= COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    ahead=${rest#"${rest%%[![:space:]]*}"}
    ((i < COMP_CWORD)) || word=$ahead
    if ((i > 0)) && [[ $ahead == "$rest" ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
    rest=${ahead#"$word"}
  done
  mapfile -t found < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
  if [[ ${found[0]-} == :files ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "${words[-1]}")
    return
  fi
  # It keeps what stands before the last of them.
  marks=${COMP_WORDBREAKS//[^:=]/}
  [[ -z $marks ]] || part=${words[-1]%"${words[-1]##*[$marks]}"}
  COMPREPLY=()
  for word in "${found[@]}"; do
    word=${word%%$'\t'*}
    COMPREPLY+=("${word#"$part"}")
  done
}
complete -F _sekisho sekisho
)";

constexpr std::string_view kZsh = R"(#compdef sekisho
# Completion of sekisho for zsh: source <(sekisho completion zsh), or as the file _sekisho in a
# folder of $fpath.

_sekisho() {
  local -a found described
  local line
  found=("${(@f)$("${(@Q)words[1]}" __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  if [[ ${found[1]} == :files ]]; then
    _files
    return
  fi
  for line in $found; do
    described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  _describe 'sekisho' described
}

if [[ ${funcstack[1]} == _sekisho ]]; then
  _sekisho "$@"
else
  compdef _sekisho sekisho
fi
)";

constexpr std::string_view kFish =
    R"(# Completion of sekisho for fish: sekisho completion fish | source

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
)";

std::string_view script_for(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return {};
}

}  // namespace

control::Reply completion_script(const Typed& typed) {
  const std::string& shell = typed.at("shell").front();
  const std::string_view script = script_for(shell);
  if (script.empty()) {
    return std::unexpected(Errors{{ErrorCode::invalid,
                                   "shell",
                                   "\"" + shell + "\" is not known",
                                   {},
                                   "give bash, zsh or fish"}});
  }
  return Node{Node::Table{{"document", {std::string(script)}}}};
}

}  // namespace sekisho::cli
