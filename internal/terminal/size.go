// Package terminal is a person at a terminal: how large it is, lines that stay and one that is
// rewritten, questions, and the pager.
package terminal

import (
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/pmctl/pmctl/internal/page"
)

// leastWidth keeps text readable where COLUMNS is next to nothing.
const leastWidth = 20

// Size is how many columns and rows a stream's terminal has, both 0 where it has none.
type Size func() (columns, rows int)

// SizeOf asks the terminal behind a file.
func SizeOf(f *os.File) Size {
	return func() (columns, rows int) {
		columns, rows, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0, 0
		}
		return columns, rows
	}
}

// Width is how wide text for a stream may be, and whether that is known: what COLUMNS says, or else
// its terminal.
func Width(environment string, size Size) (columns int, known bool) {
	if columns, err := strconv.Atoi(environment); err == nil && columns > 0 {
		return max(columns, leastWidth), true
	}
	if size != nil {
		if columns, _ := size(); columns > 0 {
			return max(columns, leastWidth), true
		}
	}
	return page.DefaultWidth, false
}
