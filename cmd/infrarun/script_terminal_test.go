package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// terminal is a command for scripts: `terminal DIALOGUE COMMAND…` runs a command on a terminal of 80
// columns. Each line of the file DIALOGUE is "prompt => answer": the answer is typed when the prompt is
// on the screen; "^C" is that key. What the screen showed goes to stdout, and the exit code is the
// command's, or 125 if the terminal is not left as it was.
func terminal() {
	code, err := converse(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "terminal:", err)
		code = 125
	}
	os.Exit(code)
}

func converse(dialogue string, command []string) (int, error) {
	text, err := os.ReadFile(dialogue)
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(command[0], command[1:]...)
	screen, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		return 0, err
	}
	defer screen.Close()
	var shown strings.Builder
	defer func() { fmt.Print(strings.ReplaceAll(shown.String(), "\r\n", "\n")) }()
	seen := 0
	for line := range strings.Lines(string(text)) {
		prompt, answer, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " => ")
		if !ok {
			return 0, fmt.Errorf("%q is not: prompt => answer", line)
		}
		if err := until(screen, &shown, prompt, &seen); err != nil {
			cmd.Process.Kill()
			return 0, errors.Join(fmt.Errorf("%q did not come: %w", prompt, err), cmd.Wait())
		}
		key := answer + "\n"
		if answer == "^C" {
			key = "\x03"
		}
		if _, err := io.WriteString(screen, key); err != nil {
			return 0, err
		}
	}
	io.Copy(&shown, screen) // ends with an error when the command has closed its side
	cmd.Wait()              // the exit code tells
	mode, err := unix.IoctlGetTermios(int(screen.Fd()), unix.TCGETS)
	if err == nil && mode.Lflag&unix.ECHO == 0 {
		err = errors.New("it was left without showing what is typed")
	}
	return cmd.ProcessState.ExitCode(), err
}

// until reads until the prompt is on the screen, behind the one before.
func until(screen io.Reader, shown *strings.Builder, prompt string, seen *int) error {
	buf := make([]byte, 4096)
	for {
		if i := strings.Index(shown.String()[*seen:], prompt); i >= 0 {
			*seen += i + len(prompt)
			return nil
		}
		n, err := screen.Read(buf)
		shown.Write(buf[:n])
		if err != nil {
			return err
		}
	}
}
