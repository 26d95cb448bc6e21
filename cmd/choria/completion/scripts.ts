/** Shells for which there is a script. */
export const shells = ["bash", "zsh", "fish"] as const;

/** One of the {@link shells}. */
export type Shell = (typeof shells)[number];

// What is typed is never evaluated: words go to the program as they are.

const bash = `# bash completion of choria
_choria() {
  local -a words
  local line directive cur cut
  read -ra words <<< "\${COMP_LINE:0:COMP_POINT}"
  [[ "\${COMP_LINE:0:COMP_POINT}" == *[[:space:]] ]] && words+=("")
  cur=\${words[\${#words[@]}-1]}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :* ]]; then directive=\${line#:}; else COMPREPLY+=("\${line%%$'\\t'*}"); fi
  done < <("$1" complete -- "\${words[@]:1}" 2> /dev/null)
  ((directive & 2)) && compopt -o nospace
  if ((\${#COMPREPLY[@]} == 0)) && ! ((directive & 4)); then compopt -o default; fi
  # bash takes what follows the last = or : for the word.
  cut=\${cur%"\${cur##*[=:]}"}
  [[ -n $cut ]] && COMPREPLY=("\${COMPREPLY[@]#"$cut"}")
  return 0
}
complete -F _choria choria
`;

const zsh = `#compdef choria
# zsh completion of choria
_choria() {
  local -a lines values
  local line directive
  lines=("\${(@f)$("\${(Q)words[1]}" complete -- "\${(@Q)words[2,CURRENT]}" 2> /dev/null)}")
  directive=\${lines[-1]#:}
  for line in "\${(@)lines[1,-2]}"; do
    values+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#values} )); then
    if (( directive & 2 )); then _describe choria values -S ''; else _describe choria values; fi
  elif (( ! (directive & 4) )); then
    _files
  fi
}
compdef _choria choria
`;

const fish = `# fish completion of choria
function __choria_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l lines ($words[1] complete -- $words[2..-1] "$current" 2> /dev/null)
  set -l directive (string replace ':' '' -- $lines[-1])
  if test (count $lines) -gt 1
    printf '%s\\n' $lines[1..-2]
  else if test "$directive" = 0
    __fish_complete_path "$current"
  end
end
complete -c choria -f -a '(__choria_complete)'
`;

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };

/** The script by which a shell asks `choria complete` for what a word may become. */
export function completionScript(shell: Shell): string {
  return scripts[shell];
}
