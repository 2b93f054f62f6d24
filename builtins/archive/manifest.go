package archive

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// sum is the SHA-256 sum of a file, in hex, with the file's name.
type sum struct {
	name string
	hex  string
}

// formatSums writes sums as sha256sum does: a line for each with the sum, two spaces and the name. In a name with a
// backslash or the end of a line these are escaped, and the line begins with a backslash.
func formatSums(sums []sum) []byte {
	var b strings.Builder
	for _, s := range sums {
		if strings.ContainsAny(s.name, "\\\n\r") {
			b.WriteByte('\\')
		}
		b.WriteString(s.hex + "  " + escapeName.Replace(s.name) + "\n")
	}
	return []byte(b.String())
}

var (
	escapeName   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
	unescapeName = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")
)

// parseSums reads what formatSums writes. Anything else is an error, and so is a name that occurs twice.
func parseSums(text []byte) ([]sum, error) {
	var sums []sum
	known := map[string]bool{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		s, err := parseSum(line)
		if err == nil && known[s.name] {
			err = fmt.Errorf("%q is named twice", s.name)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		known[s.name] = true
		sums = append(sums, s)
	}
	return sums, nil
}

func parseSum(line string) (sum, error) {
	line, whole := strings.CutSuffix(line, "\n")
	if !whole {
		return sum{}, errors.New("it has no end")
	}
	line, escaped := strings.CutPrefix(line, `\`)
	digits, name, ok := strings.Cut(line, "  ")
	if !ok || name == "" {
		return sum{}, errors.New("it is not a sum, two spaces and a name")
	}
	if b, err := hex.DecodeString(digits); err != nil || len(b) != 32 || strings.ToLower(digits) != digits {
		return sum{}, fmt.Errorf("%.70q is no SHA-256 sum", digits)
	}
	if escaped {
		name = unescapeName.Replace(name)
	}
	return sum{name, digits}, nil
}
