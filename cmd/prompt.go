package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/manifoldco/promptui"
	"golang.org/x/term"
)

// Prompter asks the person at the terminal. Every method returns errCancelled
// when the person presses Ctrl-C or says no, and ctx's error when it ends first;
// the terminal is then as it was before.
type Prompter interface {
	// Confirm asks a yes–no question whose default is no.
	Confirm(ctx context.Context, question string) error

	// Secret reads a line without showing it. The caller zeroes it after use.
	Secret(ctx context.Context, label string) ([]byte, error)
}

// confirm asks before something that cannot be taken back, unless the command
// line said yes already.
func (r *run) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	if !r.InTerminal {
		return usagef("%s There is no terminal to ask at: say --yes", question)
	}
	return r.Prompter.Confirm(ctx, question)
}

// terminalPrompter asks on a real terminal: it reads in and draws on out.
type terminalPrompter struct{ in, out *os.File }

func (p terminalPrompter) Confirm(ctx context.Context, question string) error {
	return p.session(ctx, func(in io.ReadCloser) error {
		prompt := promptui.Prompt{Label: promptLabel(question), IsConfirm: true, Stdin: in, Stdout: noBell{p.out}}
		_, err := prompt.Run()
		switch {
		case errors.Is(err, promptui.ErrAbort), errors.Is(err, promptui.ErrInterrupt), errors.Is(err, promptui.ErrEOF):
			return errCancelled
		default:
			return err
		}
	})
}

// promptLabel is the question without its mark, which promptui adds itself.
func promptLabel(question string) string { return strings.TrimSuffix(question, "?") }

func (p terminalPrompter) Secret(ctx context.Context, label string) ([]byte, error) {
	var secret []byte
	err := p.session(ctx, func(in io.ReadCloser) error {
		if _, err := term.MakeRaw(int(p.in.Fd())); err != nil {
			return err
		}
		fmt.Fprintf(p.out, "%s: ", label)
		line, err := readSecret(in)
		fmt.Fprint(p.out, "\r\n")
		secret = line
		return err
	})
	if err != nil {
		clear(secret)
		return nil, err
	}
	return secret, nil
}

// session runs ask with the terminal's input and puts the terminal back as it
// was, however ask ends. When ctx ends the input does too, so that ask returns.
func (p terminalPrompter) session(ctx context.Context, ask func(io.ReadCloser) error) error {
	state, err := term.GetState(int(p.in.Fd()))
	if err != nil {
		return err
	}
	in, err := newTerminalInput(p.in)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { in.Close() })
	err = ask(in)
	stop()
	in.Close()
	if restoreErr := term.Restore(int(p.in.Fd()), state); err == nil {
		err = restoreErr
	}
	if ctx.Err() != nil {
		fmt.Fprint(p.out, "\r\n")
		return context.Cause(ctx)
	}
	return err
}

// Keys that a line of hidden text knows.
const (
	keyInterrupt = 3
	keyEnd       = 4
	keyBackspace = 8
	keyClear     = 21
	keyDelete    = 127
)

// readSecret reads one line from a terminal in raw mode.
func readSecret(in io.Reader) ([]byte, error) {
	// The capacity is the limit, so that no copy is left behind by growing.
	const limit = 1024
	line := make([]byte, 0, limit)
	var key [1]byte
	for {
		if _, err := io.ReadFull(in, key[:]); err != nil {
			clear(line)
			return nil, errCancelled
		}
		switch key[0] {
		case '\r', '\n':
			return line, nil
		case keyInterrupt:
			clear(line)
			return nil, errCancelled
		case keyEnd:
			if len(line) == 0 {
				return nil, errCancelled
			}
		case keyBackspace, keyDelete:
			_, size := utf8.DecodeLastRune(line)
			clear(line[len(line)-size:])
			line = line[:len(line)-size]
		case keyClear:
			clear(line)
			line = line[:0]
		default:
			if len(line) == limit {
				clear(line)
				return nil, fmt.Errorf("the passphrase is longer than %d bytes", limit)
			}
			line = append(line, key[0])
		}
	}
}

// noBell keeps promptui from ringing the terminal's bell at every key.
type noBell struct{ w io.Writer }

func (b noBell) Write(p []byte) (int, error) {
	if len(p) == 1 && p[0] == '\a' {
		return 1, nil
	}
	return b.w.Write(p)
}

func (b noBell) Close() error { return nil }
