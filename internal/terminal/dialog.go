package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/manifoldco/promptui"
	"golang.org/x/term"

	"github.com/pmctl/pmctl/internal/page"
)

// Dialog is the Prompter of a real terminal.
type Dialog struct {
	// In is read, and Out drawn on.
	In, Out *os.File
	// Width is how wide a question may be.
	Width func() int
	// Plain reports whether text has no colours.
	Plain func() bool
	// MaxLine is the longest line that can be typed, in bytes.
	MaxLine int
	// Cancelled is the error of a question to which the person said no, or pressed Ctrl-C.
	Cancelled error

	// afterCR reports whether the last key read was a carriage return.
	afterCR bool
}

func (p *Dialog) Confirm(ctx context.Context, question string) error {
	question = page.Wrap(question+" [y/N]", p.Width()-len(" yes")) + " "
	answer, err := p.line(ctx, question, p.Out)
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(string(answer))) {
	case "y", "yes":
		return nil
	}
	return p.Cancelled
}

func (p *Dialog) Secret(ctx context.Context, label string) ([]byte, error) {
	return p.line(ctx, label+": ", io.Discard)
}

func (p *Dialog) Select(ctx context.Context, label string, items []string) (int, error) {
	chosen := 0
	err := p.session(ctx, term.GetState, func(in io.ReadCloser) error { // promptui sets it
		choice := promptui.Select{Label: label, Items: items, Size: min(len(items), 10), Stdin: in, Stdout: noBell{p.Out}}
		if p.Plain() {
			choice.Templates = &promptui.SelectTemplates{Label: "{{ . }}:", Active: "> {{ . }}", Inactive: "  {{ . }}", Selected: "{{ . }}"}
		}
		i, _, err := choice.Run()
		if errors.Is(err, promptui.ErrInterrupt) || errors.Is(err, promptui.ErrEOF) {
			return p.Cancelled
		}
		chosen = i
		return err
	})
	return chosen, err
}

func (p *Dialog) Text(ctx context.Context, label string, valid func(string) error) (string, error) {
	text := ""
	err := p.session(ctx, term.MakeRaw, func(in io.ReadCloser) (err error) {
		editor := term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{in, p.Out}, label+": ")
		if width, height, err := term.GetSize(int(p.Out.Fd())); err == nil && width > 0 {
			_ = editor.SetSize(width, height) // only a width of 0 fails
		}
		for {
			if text, err = editor.ReadLine(); err != nil {
				fmt.Fprint(p.Out, "\r\n")
				return p.Cancelled
			}
			wrong := valid(text)
			if wrong == nil {
				return nil
			}
			fmt.Fprintln(editor, page.Wrap(wrong.Error(), p.Width()))
		}
	})
	return text, err
}

// line asks for a line of text and echoes what is typed. A line with a control key in
// it, such as an arrow's, is asked for again.
func (p *Dialog) line(ctx context.Context, question string, echo io.Writer) ([]byte, error) {
	var line []byte
	err := p.session(ctx, term.MakeRaw, func(in io.ReadCloser) error {
		for {
			fmt.Fprint(p.Out, strings.ReplaceAll(question, "\n", "\r\n"))
			text, err := p.readLine(in, echo)
			fmt.Fprint(p.Out, "\r\n")
			var control *controlKeyError
			if !errors.As(err, &control) {
				line = text
				return err
			}
			fmt.Fprintf(p.Out, "%v\r\n", control)
		}
	})
	if err != nil {
		clear(line)
		return nil, err
	}
	return line, nil
}

// session sets the terminal, runs ask with its input and puts it back as it was,
// however ask ends. When ctx ends the input does too, so that ask returns. A process
// that was stopped and continued asks again: the shell has set the terminal anew
// meanwhile, and would have it show a passphrase.
func (p *Dialog) session(ctx context.Context, set func(fd int) (*term.State, error), ask func(io.ReadCloser) error) error {
	for {
		resumed, err := p.untilResumed(ctx, set, ask)
		if ctx.Err() != nil {
			fmt.Fprint(p.Out, "\r\n")
			return context.Cause(ctx)
		}
		if err == nil || !resumed {
			return err
		}
	}
}

// untilResumed is a session that also ends when the process is continued, and before it quits: a shell
// would show nothing of what is typed after that.
func (p *Dialog) untilResumed(ctx context.Context, set func(fd int) (*term.State, error), ask func(io.ReadCloser) error) (resumed bool, err error) {
	input, err := newInput(p.In)
	if err != nil {
		return false, err
	}
	// A process in the background is stopped here, and asks once it is in the foreground.
	state, err := set(int(p.In.Fd()))
	if err != nil {
		return false, err
	}
	in := &keyboard{input, &p.afterCR}
	var got os.Signal
	end := onSignal(func(s os.Signal) {
		got = s
		in.Close()
	})
	stop := context.AfterFunc(ctx, func() { in.Close() })
	err = ask(in)
	stop()
	end()
	in.Close()
	if restoreErr := term.Restore(int(p.In.Fd()), state); err == nil {
		err = restoreErr
	}
	if got == syscall.SIGQUIT {
		quit()
	}
	return got != nil, err
}

// Keys that a line of text knows.
const (
	keyInterrupt = 3
	keyEnd       = 4
	keyBackspace = 8
	keyClear     = 21
	keyDelete    = 127
)

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
func (p *Dialog) readLine(in io.Reader, echo io.Writer) ([]byte, error) {
	// The capacity is the limit, so that no copy is left behind by growing.
	line := make([]byte, 0, p.MaxLine)
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
			return nil, p.Cancelled
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
			return nil, p.Cancelled
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
		case len(line) == p.MaxLine:
			clear(line)
			return nil, fmt.Errorf("the text is longer than %d bytes", p.MaxLine)
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
