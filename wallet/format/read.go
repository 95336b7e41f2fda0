package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pmctl/pmctl/pm/wire"
)

// Read reads a document of the given kind, as Write writes it. It returns ErrTruncated,
// ErrTooLarge, *KindError, *VersionError, ErrSyntax or the reader's error, and then leaves into in
// an unspecified state.
func Read(r io.Reader, kind string, into any) error {
	input, err := readAll(r)
	if err != nil {
		return err
	}
	document, rest, err := first(input)
	if err != nil {
		return err
	}
	if _, err := identify(document, kind); err != nil {
		return err
	}
	if err := onlySpace(rest); err != nil {
		return err
	}
	return unmarshalData(document, into)
}

// readAll reads at most MaxSize bytes of text.
func readAll(r io.Reader) ([]byte, error) {
	input, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the input: %w", err)
	case len(input) > MaxSize:
		return nil, fmt.Errorf("%w: the input has more than %d bytes", ErrTooLarge, MaxSize)
	case len(bytes.TrimSpace(input)) == 0:
		return nil, fmt.Errorf("%w: it is empty; the command that writes it may have failed", ErrTruncated)
	case !utf8.Valid(input):
		return nil, fmt.Errorf("%w: the input is not text in UTF-8", ErrSyntax)
	}
	return input, nil
}

// first splits the input after its first JSON value.
func first(input []byte) (document json.RawMessage, rest []byte, err error) {
	decoder := json.NewDecoder(bytes.NewReader(input))
	if err := decoder.Decode(&document); err != nil {
		return nil, nil, explain(err)
	}
	return document, input[decoder.InputOffset():], nil
}

// identify returns the kind of a document, which must be a wanted one of our version. It comes
// first, since other kinds and versions have other fields.
func identify(document json.RawMessage, wanted ...string) (string, error) {
	var head struct {
		Kind    string `json:"kind"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(document, &head); err != nil {
		return "", explain(err)
	}
	switch {
	case !slices.Contains(wanted, head.Kind):
		return "", &KindError{Found: head.Kind, Want: strings.Join(wanted, " or ")}
	case head.Version != Version:
		return "", &VersionError{Kind: head.Kind, Found: head.Version, Known: Version}
	}
	return head.Kind, nil
}

func unmarshalData(document json.RawMessage, into any) error {
	whole := struct {
		Kind    string `json:"kind"`
		Version int    `json:"version"`
		Data    any    `json:"data"`
	}{Data: into}
	if err := unmarshal(document, &whole); err != nil {
		return err
	}
	if whole.Data == nil {
		return invalid(&wire.MissingError{Field: "data"})
	}
	return nil
}

// onlySpace fails if anything but space follows a document.
func onlySpace(rest []byte) error {
	if rest = bytes.TrimSpace(rest); len(rest) > 0 {
		return fmt.Errorf("%w: after its end follow %d bytes more", ErrSyntax, len(rest))
	}
	return nil
}
