package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm/wire"
)

// Read reads a document of the given kind, as Write writes it. It returns ErrTruncated,
// ErrTooLarge, ErrKind, *VersionError, ErrSyntax or the reader's error, and then leaves into in
// an unspecified state.
func Read(r io.Reader, kind string, into any) error {
	most := MaxSize
	if kind == KindStore {
		most = MaxStoreSize
	}
	text, err := readAll(r, most)
	if err != nil {
		return err
	}
	if err := checkText(text); err != nil {
		return err
	}
	document, rest, err := first(text)
	if err != nil {
		return err
	}
	head, err := identify(document, kind)
	if err != nil {
		return err
	}
	if err := onlySpace(rest); err != nil {
		return err
	}
	return head.unmarshalData(document, into)
}

func readAll(r io.Reader, most int) ([]byte, error) {
	text, err := input.ReadAll(r, int64(most))
	switch {
	case errors.As(err, new(*input.TooLongError)):
		return nil, fmt.Errorf("%w: %w", ErrTooLarge, err)
	case err != nil:
		return nil, fmt.Errorf("read the input: %w", err)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, fmt.Errorf("%w: it is empty; the command that writes it may have failed", ErrTruncated)
	}
	return bytes.TrimPrefix(text, []byte(input.ByteOrderMark)), nil
}

func checkText(text []byte) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("%w: the input is not text in UTF-8", ErrSyntax)
	}
	return nil
}

// first splits the input after its first JSON value.
func first(text []byte) (document json.RawMessage, rest []byte, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil {
		return nil, nil, explain(err)
	}
	return document, text[decoder.InputOffset():], nil
}

type head struct {
	Kind    string `json:"kind"`
	Version int    `json:"version"`
}

// identify returns the head of a document, which must be of a wanted kind and a supported
// version. It comes first, since other kinds and versions have other fields.
func identify(document json.RawMessage, wanted ...string) (head, error) {
	var h head
	if err := json.Unmarshal(document, &h); err != nil {
		return h, explain(err)
	}
	switch {
	case h.Kind == "":
		return h, hint.Kind(ErrKind, fmt.Errorf("the input is JSON, but no document of pmctl: it has no kind; want %s", words.OneOf(wanted)))
	case !slices.Contains(wanted, h.Kind):
		return h, hint.Kind(ErrKind, fmt.Errorf("the input is a %s document, want %s", h.Kind, words.OneOf(wanted)))
	case h.Version == 1 && version1(h.Kind) != nil:
	case h.Version != Version:
		return h, &VersionError{Kind: h.Kind, Found: h.Version, Known: Version}
	}
	return h, nil
}

// unmarshalData reads the data of an identified document.
func (h head) unmarshalData(document json.RawMessage, into any) error {
	if h.Version == 1 {
		var err error
		if document, err = upgrade(h.Kind, document); err != nil {
			return err
		}
	}
	whole := struct {
		head
		Data any `json:"data"`
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
