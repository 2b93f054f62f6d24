// Package failpoint lets a test stop the program at a named place: next to a write whose interruption
// must be survived.
//
//	if err := failpoint.Hit("journal.before-intend"); err != nil {
//		return err
//	}
//	_, err := failpoint.Write("journal.write-intend", file, frame)
//
// In an ordinary build both calls are empty, or the plain write, and are inlined away. Built with the
// tag "failpoints", they obey one environment variable:
//
//	INFRARUN_FAILPOINT=journal.before-intend:3=kill
//
// reads: at the third hit of journal.before-intend, do "kill". The count may be left out (it is then 1),
// and the name may be "*", which counts the hits of all names together: running a program with *:1,
// *:2, *:3 and so on, until it finishes, interrupts it at every place there is.
//
//	kill    SIGKILL this process: no deferred function, no exit handler, as kill -9 or the OOM killer does it
//	error   return an error that wraps ErrInjected, as a full disk or a failed fsync does it
//	torn    at a Write: write the first half, then kill; at a Hit: the same as kill
//
// Names are "package.place". The package knows nothing of those who use it.
package failpoint

import "errors"

// ErrInjected is wrapped by every error that a failpoint returns.
var ErrInjected = errors.New("error injected by a failpoint")
