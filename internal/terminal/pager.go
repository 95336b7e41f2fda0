package terminal

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// Page shows text in a pager, a command line, until its user leaves it, and reports whether there is
// such a program.
func Page(pager, text string, screen *os.File, stderr io.Writer) (ran bool) {
	shell := []string{"sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/C"}
	}
	cmd := exec.Command(shell[0], shell[1], pager)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), screen, stderr
	cmd.Env = os.Environ()
	for name, value := range map[string]string{"LESS": "FRX", "LV": "-c"} {
		if os.Getenv(name) == "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	// The terminal sends Ctrl-C to the pager too, which decides what that means. pmctl must
	// outlive it: the shell would take the terminal back under it.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return false
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGTERM {
				_ = cmd.Process.Signal(s)
			}
		case err := <-ended:
			return !isNoProgram(err)
		}
	}
}

// isNoProgram reports whether a shell found nothing to run.
func isNoProgram(err error) bool {
	const notExecutable, notFound = 126, 127
	var exit *exec.ExitError
	return errors.As(err, &exit) && (exit.ExitCode() == notExecutable || exit.ExitCode() == notFound)
}
