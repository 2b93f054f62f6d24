package lines

import (
	"fmt"
	"strings"
	"testing"
)

func TestTextTellsThatItIsCut(t *testing.T) {
	t.Parallel()
	var whole, more Text
	for range 2 {
		fmt.Fprint(&whole, strings.Repeat("x", MaxText/2))
		fmt.Fprint(&more, strings.Repeat("y", MaxText/2+1))
	}
	if whole.Cut() || whole.String() != strings.Repeat("x", MaxText) {
		t.Errorf("as much as there is room for: cut = %v, %d bytes", whole.Cut(), len(whole.String()))
	}
	if got := more.String(); !more.Cut() || got != strings.Repeat("y", MaxText)+cutNotice {
		t.Errorf("more: cut = %v, %d bytes", more.Cut(), len(got))
	}
}
