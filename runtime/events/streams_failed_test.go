package events

import "time"

func refusedStream() stream {
	s := newScript(deployRun())
	s.begin(1, 2, "preflight", "Preflight checks")
	s.check(Check{Name: "memory", Group: "preflight", OK: true, Detail: "7.6 GiB"})
	s.check(Check{Name: "disk", Group: "preflight", Detail: "2.0 GiB free in /opt, 10.0 GiB needed\n/dev/sda1 on /",
		Hint: "free some space, or use --prefix"})
	err := "error: preflight check \"disk\" failed\n  --> recipes/steps/preflight.star:14:5\n   |\n14 |     check(disk)\n   |     ^\nhint: free some space"
	s.end(400*time.Millisecond, err)
	return s.finish("refused", Outcome{Result: Refused, ExitCode: 1, Error: err, Position: "recipes/steps/preflight.star:14:5", Step: "preflight"})
}

func deniedStream() stream {
	s := newScript(deployRun())
	s.begin(1, 1, "files", "Files")
	err := "fs.write /etc/passwd: the recipe did not declare it"
	s.change(Change{Call: "fs.write", Target: "/etc/passwd", Summary: "not looked at", Status: Denied}, err)
	s.end(time.Millisecond, err)
	return s.finish("denied", Outcome{Result: DeniedRun, ExitCode: 5, Error: err, Position: "deploy.star:3:1", Step: "files"})
}

func rolledBackStream() stream {
	s := newScript(deployRun())
	failedBuild(s)
	s.emit(0, Event{Kind: RollbackStarted, Total: 1})
	s.undo(1, "fs.write", "/etc/app.conf", "")
	s.emit(0, Event{Kind: RollbackFinished})
	return s.finish("rolled_back", Outcome{Result: RolledBack, ExitCode: 3, Error: buildError, Position: "deploy.star:40:5", Step: "build",
		Changes: 1, Undone: 1, Next: []string{"infrarun show 20261122-214400"}})
}

const buildError = "exec.run go build ./...: exit status 1"

// failedBuild is a step in which a command prints much and fails.
func failedBuild(s *script) {
	s.begin(1, 1, "build", "Build")
	s.change(as(writeConf, Done), "")
	build := Change{ID: 2, Call: "exec.run", Target: "go build ./...", Summary: "run", Undo: "none"}
	s.emit(0, Event{Kind: ChangeStarted, Change: &build})
	for i := range 25 {
		s.output(build.Target, "compiling package "+string(rune('a'+i)))
		s.output("npm run build", "not the command that failed")
	}
	s.emit(time.Second, Event{Kind: ChangeFinished, Change: &Change{ID: 2, Call: build.Call, Target: build.Target, Summary: "run",
		Status: Failed, Undo: "none"}, Error: buildError + "\nmore of it", Duration: time.Second})
	s.end(1200*time.Millisecond, buildError)
}

func incompleteStream() stream {
	s := newScript(deployRun())
	failedBuild(s)
	left := []Left{{Call: "fs.write", Target: "/etc/app.conf", Error: "read-only file system"}}
	s.emit(0, Event{Kind: RollbackStarted, Total: 2, Text: "newest first"})
	s.undo(2, "systemd.start", "infra-console", "")
	s.undo(1, "fs.write", "/etc/app.conf", "read-only file system\nmount it again")
	s.emit(0, Event{Kind: RollbackFinished, Left: left})
	return s.finish("incomplete", Outcome{Result: Incomplete, ExitCode: 4, Error: buildError, Step: "build", Changes: 2, Undone: 1,
		Kept: []Kept{{What: "the packages jq, libjq1", Remove: "apt-get purge jq libjq1"}},
		Left: left, Next: []string{"infrarun rollback 20261122-214400"}})
}

func interruptedStream() stream {
	s := newScript(deployRun())
	s.begin(1, 2, "code", "Code")
	s.change(as(writeConf, Done), "")
	s.step = nil // the step is still open when the signal comes
	s.emit(3*time.Second, Event{Kind: RollbackStarted, Total: 1})
	s.undo(1, "fs.write", "/etc/app.conf", "")
	s.emit(0, Event{Kind: RollbackFinished})
	return s.finish("interrupted", Outcome{Result: Interrupted, ExitCode: 130, Error: "interrupted by SIGINT", Step: "code", Changes: 1, Undone: 1})
}

func lockedStream() stream {
	s := newScript(deployRun())
	return s.finish("locked", Outcome{Result: Locked, ExitCode: 6, Error: "run 20261122-200000 (pid 4711, root) holds the lock",
		Next: []string{"infrarun show 20261122-200000"}})
}
