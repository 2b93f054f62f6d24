package child

import "strings"

// Quote writes a command as one would type it into a shell.
func Quote(argv []string) string {
	quoted := make([]string, len(argv))
	for i, a := range argv {
		quoted[i] = QuoteWord(a)
	}
	return strings.Join(quoted, " ")
}

// QuoteWord writes a text so that a POSIX shell takes it as one word and changes nothing in it.
func QuoteWord(s string) string {
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// plain are the characters that have no meaning to a shell anywhere in a word.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:,./-"
