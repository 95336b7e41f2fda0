package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pmctl/pmctl/pm/wire"
)

// MaxSize is how many bytes of input are read: a hundred thousand tickets, far more
// than any params are good for.
const MaxSize = 16 << 20

// Why input is refused, beside *KindError and *VersionError. What is returned wraps
// them in what was found.
var (
	// ErrTruncated is returned for input that ends too early, such as the output of a
	// command that failed.
	ErrTruncated = errors.New("the input ends too early")

	// ErrTooLarge is returned for input of more than MaxSize bytes, and for batches
	// that are too large for the format that was asked for.
	ErrTooLarge = errors.New("too large")

	// ErrSyntax is returned for input that is not what it should be. It wraps a
	// *wire.FieldError or *wire.MissingError when a field is to blame.
	ErrSyntax = errors.New("not a valid document")
)

// KindError is a document of another kind than was asked for.
type KindError struct {
	// Found is the document's kind; empty when it has none.
	Found string

	// Want is the kind that was asked for, in words when there are several.
	Want string
}

func (e *KindError) Error() string {
	if e.Found == "" {
		return fmt.Sprintf("the input is JSON, but no document of pmctl: it has no kind; want %s", e.Want)
	}
	return fmt.Sprintf("the input is a %s document, want %s", e.Found, e.Want)
}

// VersionError is a document of a version that this pmctl does not know.
type VersionError struct {
	// Kind is the document's kind, and Found its version.
	Kind  string
	Found int

	// Known is the one version that is read.
	Known int
}

func (e *VersionError) Error() string {
	if e.Found > e.Known {
		return fmt.Sprintf("the %s document has version %d, this pmctl reads version %d: use a newer pmctl", e.Kind, e.Found, e.Known)
	}
	return fmt.Sprintf("the %s document has version %d, this pmctl reads version %d", e.Kind, e.Found, e.Known)
}

// invalid wraps what is wrong with a document in ErrSyntax.
func invalid(err error) error { return fmt.Errorf("%w: %w", ErrSyntax, err) }

// explain turns the JSON decoder's error into one that names what a user sees: the
// field, what it holds and what it should hold.
func explain(err error) error {
	var (
		syntax *json.SyntaxError
		value  *json.UnmarshalTypeError
		moment *time.ParseError
	)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrTruncated
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: it is not JSON, at byte %d", ErrSyntax, syntax.Offset)
	case errors.As(err, &value):
		field := value.Field
		if field == "" {
			field = "the document"
		}
		return invalid(&wire.FieldError{Field: field, Got: value.Value, Want: wanted(value.Type)})
	case errors.As(err, &moment):
		return badTime(quote(moment.Value))
	}
	if strings.HasPrefix(err.Error(), "Time.UnmarshalJSON: ") {
		return badTime("something else than text")
	}
	if field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return unknownField(field)
	}
	return invalid(errors.New(strings.TrimPrefix(err.Error(), "json: ")))
}

// badTime is a value that is no time. The decoder does not tell the field.
func badTime(got string) error {
	return invalid(&wire.FieldError{Field: "time", Got: got, Want: "a time in quotes, such as 2026-01-02T15:04:05Z"})
}

// unknownField is a field, quoted, that a document of its kind and version does not have.
func unknownField(field string) error { return fmt.Errorf("%w: unknown field %s", ErrSyntax, field) }
