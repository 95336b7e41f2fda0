package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/pmctl/pmctl/internal/page"
)

// Screen writes lines to stderr and keeps one more below them, which says what is waited
// for: it is rewritten in place, and gone before anything else is written.
type Screen struct {
	w     io.Writer
	wraps bool
	width func() int
	mu    sync.Mutex
	// shown is how wide the line is that is there, asking whether a prompt is shown
	// something below it.
	shown  int
	asking bool
	// held are lines that are printed only if a question follows.
	held []string
}

// NewScreen is the screen behind w, which is as wide as width says. Lines are wrapped where people
// read them; elsewhere a message is a line.
func NewScreen(w io.Writer, wraps bool, width func() int) *Screen {
	return &Screen{w: w, wraps: wraps, width: width}
}

// Hold keeps lines for the next question.
func (s *Screen) Hold(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = append(s.held, text)
}

// Release prints the lines that were kept.
func (s *Screen) Release() {
	s.mu.Lock()
	held := s.held
	s.held = nil
	s.mu.Unlock()
	for _, text := range held {
		s.Print(text)
	}
}

// Print writes lines that stay.
func (s *Screen) Print(text string) {
	if s.wraps {
		text = page.WrapLines(text, s.width())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	fmt.Fprintln(s.w, text)
}

// show replaces the line that is rewritten in place; "" removes it.
func (s *Screen) show(text string) {
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
func (s *Screen) erase() {
	if s.shown > 0 {
		fmt.Fprintf(s.w, "\r%s\r", strings.Repeat(" ", s.shown))
		s.shown = 0
	}
}

// ask has something else drawn until the returned function is called.
func (s *Screen) ask() (done func()) {
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
