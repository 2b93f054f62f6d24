#compdef infrarun
# zsh completion of infrarun: source <(infrarun completion zsh)
_infrarun() {
	local line
	local -a found
	for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
		[[ -n "$line" ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
	done
	if (( ${#found} )); then
		_describe infrarun found
	else
		_files
	fi
}
compdef _infrarun infrarun
