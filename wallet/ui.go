package wallet

import "context"

// UI shows a flow's progress and asks the user. A Config without one shows nothing and agrees to
// everything.
type UI interface {
	// Note shows a sentence about progress.
	Note(text string)

	// Confirm asks a question before something that cannot be undone. It fails unless the answer is
	// yes.
	Confirm(ctx context.Context, question string) error

	// Asks reports whether a user is there to answer.
	Asks() bool

	// Progress shows a text until done is called.
	Progress(text func() string) (done func())
}

// silent is the UI of a Config without one.
type silent struct{}

func (silent) Note(string)                           {}
func (silent) Confirm(context.Context, string) error { return nil }
func (silent) Asks() bool                            { return false }
func (silent) Progress(func() string) func()         { return func() {} }
