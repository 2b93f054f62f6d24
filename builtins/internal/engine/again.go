package engine

import (
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
)

// AgainLabel is on a container that an undo has made in the place of one that was gone: see [Identities]. So an undo that is
// carried out twice makes none twice, an earlier undo finds the container that it is about, and a rollback after a rollback
// does not take it for somebody else's.
const AgainLabel = "io.infrarun.again"

// Identities are the ids that a container goes by: its own, then that of the container in whose place an undo has made it, that
// in whose place that one was made, and so on.
func Identities(c container.InspectResponse) []string {
	found := []string{c.ID}
	if c.Config != nil {
		found = append(found, strings.Fields(c.Config.Labels[AgainLabel])...)
	}
	return found
}

// Is reports whether a container is the one of an id, or was made again in its place.
func Is(c container.InspectResponse, id string) bool { return slices.Contains(Identities(c), id) }

// Origin is the id of a container, or of the first one in whose place it was made.
func Origin(c container.InspectResponse) string {
	found := Identities(c)
	return found[len(found)-1]
}

// Again is the value of [AgainLabel] of a container that is made in the place of this one.
func Again(c container.InspectResponse) string { return strings.Join(Identities(c), " ") }
