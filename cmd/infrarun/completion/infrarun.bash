# bash completion of infrarun: source <(infrarun completion bash)
_infrarun() {
	local IFS=$'\n'
	mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	if [ "${#COMPREPLY[@]}" -eq 0 ]; then
		compopt -o default
	fi
}
complete -F _infrarun infrarun
