package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/jsonfilter"
	"github.com/pmctl/pmctl/wallet"
)

// Usage is err as the command line's fault.
func Usage(err error) error { return hint.Kind(wallet.ClassUsage, err) }

// Usagef is a new error that is the command line's fault.
func Usagef(format string, args ...any) error {
	return Usage(fmt.Errorf(format, args...))
}

// WithHint says what can be done about err. A nil err stays nil.
func WithHint(err error, format string, args ...any) error { return hint.With(err, format, args...) }

// endedBySignal is the error of a command that a signal ended. The cause names the signal, which
// says no more.
func endedBySignal(err, cause error) error {
	switch text := err.Error(); {
	case errors.Is(err, ErrCancelled):
	case text == context.Canceled.Error(), text == cause.Error():
		err = &endedError{err, text, "interrupted"}
	default:
		err = fmt.Errorf("interrupted: %w", err)
	}
	return hint.Kind(context.Canceled, err)
}

// endedError is an error that ends with Go's words for a context that has ended, and is to end with
// pmctl's.
type endedError struct {
	err         error
	last, words string
}

func (e *endedError) Error() string { return strings.TrimSuffix(e.err.Error(), e.last) + e.words }
func (e *endedError) Unwrap() error { return e.err }

// timedOut is err with the flag that gives it more time, if it says no more than that the time is up.
func timedOut(err error) error {
	last := context.DeadlineExceeded.Error()
	if err == nil || !strings.HasSuffix(err.Error(), last) {
		return err
	}
	return WithHint(&endedError{err, last, "no result within --timeout"}, "pass a longer --timeout; --verbose shows each request")
}

// ErrCancelled is returned when the user said no, or pressed Ctrl-C at a prompt.
var ErrCancelled = hint.Kind(wallet.ClassCancelled, errors.New("cancelled: nothing was done"))

// errKeyInput is returned when what a descriptor gives is no key.
var errKeyInput = hint.Kind(wallet.ClassLocked, errors.New("no key to sign with"))

// Unreported is the error of a result that could not be printed as the user wanted, of something
// that is done. A nil err stays nil.
func Unreported(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*jsonfilter.Error)):
		err = fmt.Errorf("%s, but %w", what, err)
	default:
		err = fmt.Errorf("%s, but its result cannot be written: %w", what, err)
	}
	return WithHint(hint.Kind(wallet.ClassUnreported, err), "do not run the command again for its output: it has taken effect")
}

// errOutClosed is returned before anything is done when its result would be lost.
var errOutClosed = WithHint(errors.New("stdout is closed: there is nowhere to write the result to"),
	"redirect stdout to a file, or to /dev/null if you do not need the output")

// WithSource says which file, URL or "-" for stdin bad input came from. A nil err stays nil.
func WithSource(source string, err error) error {
	switch {
	case err == nil:
		return nil
	case source == "-":
		source = "stdin"
	}
	return fmt.Errorf("%s: %w", source, err)
}
