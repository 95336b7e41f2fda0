package wallet

import "context"

// UI is how a flow speaks to its user. A program without a person behind it passes none:
// nothing is said then, and everything is agreed to.
type UI interface {
	// Note says a sentence about what is going on.
	Note(text string)

	// Confirm asks a question before something that cannot be undone, and fails unless
	// the answer is yes.
	Confirm(ctx context.Context, question string) error

	// Asks tells whether a person is there to answer.
	Asks() bool

	// Progress shows a text for as long as something takes, until done is called.
	Progress(text func() string) (done func())
}

// silent is the UI of a program that passes none.
type silent struct{}

func (silent) Note(string)                           {}
func (silent) Confirm(context.Context, string) error { return nil }
func (silent) Asks() bool                            { return false }
func (silent) Progress(func() string) func()         { return func() {} }
