package format

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pmctl/pmctl/pm/wire"
)

// MaxSize is the most input that is read, in bytes: a hundred thousand tickets, far more than any
// params allow. An exported store grows with each payment, and may have MaxStoreSize.
const (
	MaxSize      = 16 << 20
	MaxStoreSize = 1 << 30
)

// Reasons to refuse input, in addition to *VersionError. Errors wrap them with
// details.
var (
	// ErrTruncated is returned for input that ends too early, such as the output of a failed
	// command.
	ErrTruncated = errors.New("the input ends too early")

	// ErrTooLarge is returned for input of more than MaxSize bytes, and for batches that are too
	// large for a format.
	ErrTooLarge = errors.New("too large")

	// ErrKind is returned for a document of another kind than requested.
	ErrKind = errors.New("the input is another document")

	// ErrSyntax is returned for invalid input. It wraps a *wire.FieldError or *wire.MissingError if
	// a field is the cause.
	ErrSyntax = errors.New("not a valid document")
)

// VersionError is returned for a document of an unknown version.
type VersionError struct {
	// Kind is the document's kind, and Found its version.
	Kind  string
	Found int

	Known int
}

func (e *VersionError) Error() string {
	if e.Found > e.Known {
		return fmt.Sprintf("the %s document has version %d, this pmctl reads version %d: use a newer pmctl", e.Kind, e.Found, e.Known)
	}
	return fmt.Sprintf("the %s document has version %d, this pmctl reads version %d", e.Kind, e.Found, e.Known)
}

func invalid(err error) error { return fmt.Errorf("%w: %w", ErrSyntax, err) }

// explain turns the JSON decoder's error into one that names the field, the value found and the
// value wanted.
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
		return invalid(&wire.FieldError{Field: cmp.Or(fieldPath(value.Field), "the document"), Got: value.Value, Want: wanted(value.Type)})
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

// fieldPath is a path of the decoder as the document has it, without the types that are embedded:
// their names, unlike those of fields, have capitals.
func fieldPath(path string) string {
	names := slices.DeleteFunc(strings.Split(path, "."), func(name string) bool { return name != strings.ToLower(name) })
	return strings.Join(names, ".")
}

// badTime is returned for a malformed time. The decoder does not name its field.
func badTime(got string) error {
	return invalid(&wire.FieldError{Field: "time", Got: got, Want: "a time in quotes, such as 2026-01-02T15:04:05Z"})
}

// unknownField is returned for a field that the kind and version of the document do not have.
func unknownField(field string) error { return fmt.Errorf("%w: unknown field %s", ErrSyntax, field) }
