package cli

import (
	"context"
)

// Prompter asks the person at the terminal. Every method returns errCancelled
// when the person presses Ctrl-C or says no, and ctx's error when it ends first;
// the terminal is then as it was before.
type Prompter interface {
	// Confirm asks a yes–no question whose default is no.
	Confirm(ctx context.Context, question string) error

	// Secret reads a line without showing it. The caller zeroes it after use.
	Secret(ctx context.Context, label string) ([]byte, error)

	// Select has one of the items chosen and returns its index.
	Select(ctx context.Context, label string, items []string) (int, error)

	// Text reads a line that valid accepts; what is wrong with it is shown, and it is
	// asked for again.
	Text(ctx context.Context, label string, valid func(string) error) (string, error)
}
