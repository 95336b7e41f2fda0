// Package cli is what the commands share: the world that they run in, the options that
// make a wallet's configuration, output, prompts and progress, and the one table of exit
// codes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/internal/terminal"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/config"
)

// Env is what a command sees of the world around it. Tests replace its fields.
type Env struct {
	// In, Out and Err are the standard streams: data goes to Out, everything
	// else to Err.
	In       io.Reader
	Out, Err io.Writer

	// InTerminal, OutTerminal and ErrTerminal report whether a stream is a terminal.
	InTerminal, OutTerminal, ErrTerminal bool

	// OutSize and ErrSize are how large the terminals behind the streams are; nil where there
	// are none.
	OutSize, ErrSize terminal.Size

	// Screen is stdout where that is a terminal, for programs that take it over; else nil.
	Screen *os.File

	// OutClosed reports whether the process was started without a stdout.
	OutClosed bool

	// Getenv returns an environment variable's value, "" when it is not set.
	Getenv func(string) string

	// Home is the user's home folder, "" when there is none. One whose path is relative
	// is not used.
	Home string

	// SystemConfig is the path of the config file that holds for every user.
	SystemConfig string

	// Profile is what --profile names, "" when it is not given.
	Profile string

	// settings are the config files as they were read for a wallet; nil has them read on each use.
	settings *config.Settings

	// Now is the clock.
	Now func() time.Time

	// OnRequest is called after each request to another program; nil for none.
	OnRequest func(wallet.Request)

	// Prompter asks the person at the terminal.
	Prompter terminal.Prompter

	// Detach runs this program again as a process of its own, with these arguments, and
	// with these files as its descriptors from 3 on.
	Detach func(args []string, files []*os.File) error

	// Files is where data is written that must survive a power failure; nil is the
	// system's.
	Files durable.FS

	// OpenFD reads an inherited file descriptor until ctx ends.
	OpenFD func(ctx context.Context, fd int) (io.Reader, error)
}

// System is the Env of this process.
func System() *Env {
	home, _ := os.UserHomeDir() // "" where there is none
	env := &Env{
		In:           os.Stdin,
		Out:          os.Stdout,
		Err:          os.Stderr,
		InTerminal:   term.IsTerminal(int(os.Stdin.Fd())),
		OutTerminal:  term.IsTerminal(int(os.Stdout.Fd())),
		ErrTerminal:  term.IsTerminal(int(os.Stderr.Fd())),
		OutSize:      terminal.SizeOf(os.Stdout),
		ErrSize:      terminal.SizeOf(os.Stderr),
		OutClosed:    terminal.OutClosed(),
		Getenv:       os.Getenv,
		Home:         home,
		SystemConfig: systemConfig(),
		Now:          time.Now,
		Detach:       detach,
		OpenFD:       openFD,
	}
	if env.OutTerminal {
		env.Screen = os.Stdout
	}
	env.Prompter = &terminal.Dialog{
		In: os.Stdin, Out: os.Stderr, Width: func() int { return errWidth(env) },
		MaxLine: keystore.MaxPassphrase, Cancelled: ErrCancelled,
	}
	return env
}

// stateDir is where pmctl keeps what must survive: $XDG_STATE_HOME/pmctl.
func (e *Env) stateDir() (string, error) {
	return e.xdg("XDG_STATE_HOME", ".local/state", "PMCTL_STORE")
}

// dataDir is where pmctl keeps its key files: $XDG_DATA_HOME/pmctl.
func (e *Env) dataDir() (string, error) {
	return e.xdg("XDG_DATA_HOME", ".local/share", "ETH_KEYSTORE")
}

// configDir is where the user's config file is: $XDG_CONFIG_HOME/pmctl.
func (e *Env) configDir() (string, error) { return e.xdg("XDG_CONFIG_HOME", ".config", "") }

// cacheDir is where pmctl keeps what is only quicker to have: $XDG_CACHE_HOME/pmctl.
func (e *Env) cacheDir() (string, error) { return e.xdg("XDG_CACHE_HOME", ".cache", "") }

// errNoHome is returned for a folder that is below HOME, which is not set.
var errNoHome = errors.New("HOME is not set to an absolute path")

// xdg is pmctl's folder below a base folder of the XDG specification. What is looked for
// there can also be named by a variable of its own, instead.
func (e *Env) xdg(variable, fallback, instead string) (string, error) {
	base := e.Getenv(variable)
	// What is behind such a path is not there, and would be created or taken for not set.
	if strings.TrimSpace(base) != base {
		return "", Usagef("%s: %q begins or ends with white space", variable, base)
	}
	// The XDG specification has relative paths ignored.
	if !filepath.IsAbs(base) {
		if !filepath.IsAbs(e.Home) {
			if instead != "" {
				variable = fmt.Sprintf("%s, or %s", instead, variable)
			}
			return "", Usagef("%w: set it, or %s", errNoHome, variable)
		}
		base = filepath.Join(e.Home, filepath.FromSlash(fallback))
	}
	return filepath.Join(base, "pmctl"), nil
}
