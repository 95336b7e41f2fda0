package cli

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
func width(e *Env, size Size) (columns int, known bool) {
	if columns, err := strconv.Atoi(e.Getenv("COLUMNS")); err == nil && columns > 0 {
		return max(columns, leastWidth), true
	}
	if size != nil {
		if columns, _ := size(); columns > 0 {
			return max(columns, leastWidth), true
		}
	}
	return page.DefaultWidth, false
}

// errWidth is how wide text on stderr may be.
func errWidth(e *Env) int {
	columns, _ := width(e, e.ErrSize)
	return columns
}
