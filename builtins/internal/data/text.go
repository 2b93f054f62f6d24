package data

import (
	"fmt"
	"strings"
)

// CheckText fails if a text is too long to be decoded.
func CheckText(text string) error {
	if len(text) > MaxSize {
		return fmt.Errorf("the text has %d bytes; the limit is %d MiB", len(text), MaxSize>>20)
	}
	return nil
}

// CheckJSON fails if a text is too long, or nested too deep, to be decoded as JSON. Whether it is JSON at all is
// for the decoder to say.
func CheckJSON(text string) error {
	if err := CheckText(text); err != nil {
		return err
	}
	depth, digits := 0, 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if digits++; c < '0' || c > '9' {
			digits = 0
		}
		switch c {
		case '"':
			i = skipString(text, i)
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth > MaxDepth {
			return fmt.Errorf("line %d: nested deeper than %d levels", lineOf(text, i), MaxDepth)
		}
		if digits > maxDigits {
			return fmt.Errorf("line %d: a number of more than %d digits", lineOf(text, i), maxDigits)
		}
	}
	return nil
}

// maxDigits bounds a number: reading and writing one takes longer than in proportion to its length.
const maxDigits = 1000

func lineOf(text string, i int) int { return 1 + strings.Count(text[:i], "\n") }

// skipString returns the position of the quotation mark that ends the string that begins at start.
func skipString(text string, start int) int {
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(text)
}
