package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/pmctl/pmctl/internal/page"
)

// screen writes lines to stderr and keeps one more below them, which says what is waited
// for: it is rewritten in place, and gone before anything else is written.
type screen struct {
	w io.Writer
	// wraps tells that people read the lines, which fit into a terminal then. Elsewhere a
	// message is a line.
	wraps bool
	// width is how wide the terminal is.
	width func() int
	mu    sync.Mutex
	// shown is how wide the line is that is there, asking whether a prompt is shown
	// something below it.
	shown  int
	asking bool
	// held are lines that are printed only if a question follows.
	held []string
}

// hold keeps lines for the next question.
func (s *screen) hold(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = append(s.held, text)
}

// release prints the lines that were kept.
func (s *screen) release() {
	s.mu.Lock()
	held := s.held
	s.held = nil
	s.mu.Unlock()
	for _, text := range held {
		s.print(text)
	}
}

// print writes lines that stay.
func (s *screen) print(text string) {
	if s.wraps {
		text = page.WrapLines(text, s.width())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	fmt.Fprintln(s.w, text)
}

// show replaces the line that is rewritten in place; "" removes it.
func (s *screen) show(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asking {
		return
	}
	s.erase()
	runes := []rune(text)
	runes = runes[:min(len(runes), s.width()-len("^C")-1)]
	fmt.Fprint(s.w, string(runes))
	if len(runes) > 0 {
		s.shown = len(runes) + len("^C") // which terminals show behind it
	}
}

// erase removes the line in a way that every terminal knows.
func (s *screen) erase() {
	if s.shown > 0 {
		fmt.Fprintf(s.w, "\r%s\r", strings.Repeat(" ", s.shown))
		s.shown = 0
	}
}

// ask has something else drawn until the returned function is called.
func (s *screen) ask() (done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	s.asking = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asking = false
	}
}

// politePrompter asks when nothing is drawn in the same place.
type politePrompter struct {
	Prompter
	screen *screen
}

func (p politePrompter) Confirm(ctx context.Context, question string) error {
	defer p.screen.ask()()
	return p.Prompter.Confirm(ctx, question)
}

func (p politePrompter) Secret(ctx context.Context, label string) ([]byte, error) {
	defer p.screen.ask()()
	return p.Prompter.Secret(ctx, label)
}

func (p politePrompter) Select(ctx context.Context, label string, items []string) (int, error) {
	defer p.screen.ask()()
	return p.Prompter.Select(ctx, label, items)
}

func (p politePrompter) Text(ctx context.Context, label string, valid func(string) error) (string, error) {
	defer p.screen.ask()()
	return p.Prompter.Text(ctx, label, valid)
}
