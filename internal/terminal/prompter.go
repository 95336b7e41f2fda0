package terminal

import "context"

// Prompter asks the person at the terminal. Every method fails when the person presses Ctrl-C or
// says no, and with ctx's error when it ends first; the terminal is then as it was before.
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

// Polite returns a prompter that asks when nothing of the screen is drawn in the same place.
func Polite(p Prompter, on *Screen) Prompter { return politePrompter{p, on} }

type politePrompter struct {
	Prompter
	screen *Screen
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
