package composefile

import (
	"fmt"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"gopkg.in/yaml.v3"
)

// The files of a project may come with a commit that nobody here has read. A few lines of them can unfold to more than a
// machine has: by aliases, by services that extend each other, by variables in variables.
const (
	// MaxFile is how large a file of a project may be, in bytes.
	MaxFile = 1 << 20
	// maxText is how much all that is read of a project may have, with its variables replaced, in bytes.
	maxText = 16 << 20
	// maxNodes is how many values its compose files may have, with what aliases and extends stand for in their place;
	// maxDepth how deep they may be nested. compose-go takes some seconds for so many.
	maxNodes = 100_000
	maxDepth = 100
	// maxVariables is how many variables may stand in one value of a compose file, or in a file with variables: for twice as
	// many compose-go takes more than four times as long.
	maxVariables = 1000
)

var (
	errTooLong = fmt.Errorf("the project is larger than %d MiB, with its variables replaced by their values", maxText>>20)
	errTooMany = fmt.Errorf("it has more than %d values, or is nested too deeply, with its aliases, and the services that others extend, "+
		"replaced by what they stand for", maxNodes)
)

// bounded is a source that does not give more than a project may have.
type bounded struct {
	Source
	left int // bytes
}

// ReadFile implements [Source].
func (b *bounded) ReadFile(path string) ([]byte, error) {
	content, err := b.Source.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(content) > MaxFile {
		return nil, fmt.Errorf("%s has %d bytes; %d are accepted", path, len(content), MaxFile)
	}
	if err := b.spend(len(content)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return content, nil
}

// spend counts what was read, or put in place of a variable.
func (b *bounded) spend(n int) error {
	if b.left -= n; b.left < 0 {
		return errTooLong
	}
	return nil
}

// spent fails if more was wanted than there may be.
func (b *bounded) spent() error { return b.spend(0) }

// lookup counts what variables are replaced by. When there is no more, they are empty: who looks them up asks spent
// afterwards.
func (b *bounded) lookup(from dotenv.LookupFn) dotenv.LookupFn {
	return func(name string) (string, bool) {
		value, ok := from(name)
		if ok && b.spend(len(value)) != nil {
			return "", true
		}
		return value, ok
	}
}

// checkVariables fails if too many variables stand in a text.
func checkVariables(text string) error {
	if n := strings.Count(text, "$"); n > maxVariables {
		return fmt.Errorf("there are %d variables in one text; %d are accepted", n, maxVariables)
	}
	return nil
}

// countNodes counts the values of a document as they unfold, and fails if they are too many: compose-go would not come to
// an end, as with an alias in what it stands for.
func countNodes(doc *yaml.Node) (int, error) {
	count := 0
	var visit func(n *yaml.Node, depth int) bool
	visit = func(n *yaml.Node, depth int) bool {
		if count++; count > maxNodes || depth > maxDepth {
			return false
		}
		if n.Kind == yaml.AliasNode {
			return visit(n.Alias, depth+1)
		}
		for _, c := range n.Content {
			if !visit(c, depth+1) {
				return false
			}
		}
		return true
	}
	if !visit(doc, 0) {
		return count, errTooMany
	}
	for _, base := range bases(doc) {
		if !visit(base, 0) {
			return count, errTooMany
		}
	}
	return count, nil
}
