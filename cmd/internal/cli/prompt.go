package cli

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

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/keystore"
)

// terminalPrompter asks on a real terminal: it reads in and draws on out.
type terminalPrompter struct {
	in, out *os.File
	// width is how wide a question may be.
	width func() int
	// plain tells that text has no colours.
	plain func() bool

	// afterCR tells that the last key read was a carriage return.
	afterCR bool
}

func (p *terminalPrompter) Confirm(ctx context.Context, question string) error {
	question = page.Wrap(question+" [y/N]", p.width()-len(" yes")) + " "
	answer, err := p.line(ctx, question, p.out)
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(string(answer))) {
	case "y", "yes":
		return nil
	}
	return ErrCancelled
}

func (p *terminalPrompter) Secret(ctx context.Context, label string) ([]byte, error) {
	return p.line(ctx, label+": ", io.Discard)
}

func (p *terminalPrompter) Select(ctx context.Context, label string, items []string) (int, error) {
	chosen := 0
	err := p.session(ctx, func(in io.ReadCloser) error {
		choice := promptui.Select{Label: label, Items: items, Size: min(len(items), 10), Stdin: in, Stdout: noBell{p.out}}
		if p.plain() {
			choice.Templates = &promptui.SelectTemplates{Label: "{{ . }}:", Active: "> {{ . }}", Inactive: "  {{ . }}", Selected: "{{ . }}"}
		}
		i, _, err := choice.Run()
		if errors.Is(err, promptui.ErrInterrupt) || errors.Is(err, promptui.ErrEOF) {
			return ErrCancelled
		}
		chosen = i
		return err
	})
	return chosen, err
}

func (p *terminalPrompter) Text(ctx context.Context, label string, valid func(string) error) (string, error) {
	text := ""
	err := p.session(ctx, func(in io.ReadCloser) (err error) {
		if _, err := term.MakeRaw(int(p.in.Fd())); err != nil {
			return err
		}
		editor := term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{in, p.out}, label+": ")
		if width, height, err := term.GetSize(int(p.out.Fd())); err == nil && width > 0 {
			_ = editor.SetSize(width, height) // only a width of 0 fails
		}
		for {
			if text, err = editor.ReadLine(); err != nil {
				fmt.Fprint(p.out, "\r\n")
				return ErrCancelled
			}
			wrong := valid(text)
			if wrong == nil {
				return nil
			}
			fmt.Fprintln(editor, wrong)
		}
	})
	return text, err
}

// line asks for a line of text and echoes what is typed. A line with a control key in
// it, such as an arrow's, is asked for again.
func (p *terminalPrompter) line(ctx context.Context, question string, echo io.Writer) ([]byte, error) {
	var line []byte
	err := p.session(ctx, func(in io.ReadCloser) error {
		if _, err := term.MakeRaw(int(p.in.Fd())); err != nil {
			return err
		}
		for {
			fmt.Fprint(p.out, strings.ReplaceAll(question, "\n", "\r\n"))
			text, err := readLine(in, echo)
			fmt.Fprint(p.out, "\r\n")
			var control *controlKeyError
			if !errors.As(err, &control) {
				line = text
				return err
			}
			fmt.Fprintf(p.out, "%v\r\n", control)
		}
	})
	if err != nil {
		clear(line)
		return nil, err
	}
	return line, nil
}

// session runs ask with the terminal's input and puts the terminal back as it
// was, however ask ends. When ctx ends the input does too, so that ask returns.
func (p *terminalPrompter) session(ctx context.Context, ask func(io.ReadCloser) error) error {
	state, err := term.GetState(int(p.in.Fd()))
	if err != nil {
		return err
	}
	input, err := newTerminalInput(p.in)
	if err != nil {
		return err
	}
	in := &keyboard{input, &p.afterCR}
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

// Keys that a line of text knows.
const (
	keyInterrupt = 3
	keyEnd       = 4
	keyBackspace = 8
	keyClear     = 21
	keyDelete    = 127
)

// maxLine is the longest line that can be typed: a passphrase.
const maxLine = keystore.MaxPassphrase

// controlKeyError is a line with a key in it that is no text.
type controlKeyError struct{ key byte }

func (e *controlKeyError) Error() string {
	name := "Ctrl-" + string(rune(e.key+'@'))
	switch e.key {
	case '\t':
		name = "Tab"
	case '\x1b':
		name = "Esc (or an arrow key)"
	}
	return name + " is not text; type the line again"
}

// readLine reads one line from a terminal in raw mode and echoes it. It fails with
// *controlKeyError at the end of a line that has a control key in it.
func readLine(in io.Reader, echo io.Writer) ([]byte, error) {
	// The capacity is the limit, so that no copy is left behind by growing.
	line := make([]byte, 0, maxLine)
	var control *controlKeyError
	cut := func(n int) {
		fmt.Fprint(echo, strings.Repeat("\b \b", utf8.RuneCount(line[n:])))
		clear(line[n:])
		line = line[:n]
	}
	var key [1]byte
	for {
		if _, err := io.ReadFull(in, key[:]); err != nil {
			clear(line)
			return nil, ErrCancelled
		}
		switch {
		case key[0] == '\r', key[0] == '\n':
			if control != nil {
				clear(line)
				return nil, control
			}
			return line, nil
		case key[0] == keyInterrupt, key[0] == keyEnd && len(line) == 0:
			clear(line)
			return nil, ErrCancelled
		case key[0] == keyBackspace, key[0] == keyDelete:
			_, size := utf8.DecodeLastRune(line)
			cut(len(line) - size)
		case key[0] == keyClear:
			cut(0)
			control = nil
		case key[0] < ' ':
			if control == nil {
				control = &controlKeyError{key[0]}
			}
		case len(line) == maxLine:
			clear(line)
			return nil, fmt.Errorf("the text is longer than %d bytes", maxLine)
		default:
			line = append(line, key[0])
			echo.Write(key[:])
		}
	}
}

// keyboard reads a terminal. Pasted text may end its lines with CR LF: the CR answers a
// question, and the LF is not the answer to the next one.
type keyboard struct {
	io.ReadCloser
	afterCR *bool
}

func (k *keyboard) Read(p []byte) (int, error) {
	n, err := k.ReadCloser.Read(p)
	if n > 0 && *k.afterCR && p[0] == '\n' {
		n = copy(p, p[1:n])
		*k.afterCR = false
		if n == 0 && err == nil {
			return k.Read(p)
		}
	}
	if n > 0 {
		*k.afterCR = p[n-1] == '\r'
	}
	return n, err
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
