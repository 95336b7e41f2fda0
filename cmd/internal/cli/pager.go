package cli

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet/format"
)

// EmitList is Emit for a list that may be longer than the screen: on a terminal it goes
// through the user's pager then.
func EmitList(r *Run, kind string, data any, table func(*page.Page) error) error {
	if r.Output == OutputJSON {
		return format.Write(r.Out, kind, data)
	}
	pager := pagerOf(r.Env)
	if pager == "" || r.Screen == nil {
		return table(OutPage(r))
	}
	var text strings.Builder
	if err := table(OutPageOn(r, &text)); err != nil {
		return err
	}
	if _, rows := r.OutSize(); strings.Count(text.String(), "\n") >= rows {
		if ran := runPager(r.Env, pager, text.String()); ran {
			return nil
		}
	}
	return OutPage(r).Print(text.String())
}

// pagerOf is the command line of the user's pager, as gh finds it: PMCTL_PAGER, or else PAGER.
// It is "" for none.
func pagerOf(e *Env) string {
	pager := e.Getenv("PMCTL_PAGER")
	if pager == "" {
		pager = e.Getenv("PAGER")
	}
	if pager == "cat" || e.Getenv("TERM") == "dumb" {
		return ""
	}
	return pager
}

// runPager shows text in a pager until its user leaves it, and reports whether there is such a
// program.
func runPager(e *Env, pager, text string) (ran bool) {
	shell := []string{"sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/C"}
	}
	cmd := exec.Command(shell[0], shell[1], pager)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), e.Screen, e.Err
	cmd.Env = os.Environ()
	for name, value := range map[string]string{"LESS": "FRX", "LV": "-c"} {
		if e.Getenv(name) == "" {
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
