# bash completion of infrarun: source <(infrarun completion bash)
_infrarun() {
	local -a found
	mapfile -t found < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	COMPREPLY=("${found[@]%%$'\t'*}") # without what it is about
	if [ "${#COMPREPLY[@]}" -eq 0 ]; then
		compopt -o default
	elif [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]]; then
		compopt -o nospace # env: and file: go on
	fi
}
complete -F _infrarun infrarun
