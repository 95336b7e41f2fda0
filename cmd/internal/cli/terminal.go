package cli

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"
)

const (
	// DefaultWidth is how many columns text for people has where no terminal says.
	DefaultWidth = 80
	// leastWidth keeps text readable where COLUMNS is next to nothing.
	leastWidth = 20
)

// Size is how many columns and rows a stream's terminal has, both 0 where it has none.
type Size func() (columns, rows int)

// sizeOf asks the terminal behind a file.
func sizeOf(f *os.File) Size {
	return func() (columns, rows int) {
		columns, rows, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0, 0
		}
		return columns, rows
	}
}

// width is how wide text for a stream may be, and whether that is known: $COLUMNS, or else
// what the terminal says.
func (e *Env) width(size Size) (width int, known bool) {
	if columns, err := strconv.Atoi(e.Getenv("COLUMNS")); err == nil && columns > 0 {
		return max(columns, leastWidth), true
	}
	if size != nil {
		if columns, _ := size(); columns > 0 {
			return max(columns, leastWidth), true
		}
	}
	return DefaultWidth, false
}

// errWidth is how wide text on stderr may be.
func (e *Env) errWidth() int {
	width, _ := e.width(e.ErrSize)
	return width
}

// Values of --color.
const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

// colorMode is the value of --color.
type colorMode string

func (c *colorMode) String() string { return string(*c) }
func (c *colorMode) Type() string   { return "WHEN" }
func (c *colorMode) Set(s string) error {
	modes := []string{colorAuto, colorAlways, colorNever}
	if !slices.Contains(modes, s) {
		return fmt.Errorf("must be one of %s", strings.Join(modes, ", "))
	}
	*c = colorMode(s)
	return nil
}

// colours tells whether text on a stream is coloured.
func (r *Run) colours(terminal bool) bool {
	switch r.color {
	case colorAlways:
		return true
	case colorNever:
		return false
	}
	return terminal && r.Getenv("NO_COLOR") == "" && r.Getenv("TERM") != "dumb"
}
