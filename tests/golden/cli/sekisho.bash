# Completion of sekisho for bash: source <(sekisho completion bash)
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
