#compdef infrarun
# zsh completion of infrarun: source <(infrarun completion zsh)
_infrarun() {
	local -a found
	found=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	if [[ -n "${found[1]}" ]]; then
		compadd -a found
	else
		_files
	fi
}
compdef _infrarun infrarun
