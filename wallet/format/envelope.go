// Package format reads and writes the documents on stdin, stdout and in files: ticket params,
// batches of tickets, transactions and errors, each with a kind and a version, and the two headers
// of a payment.
//
// Write and NewBatchWriter write documents. Read reads one kind of document and Decode any. Both
// are strict: input that is truncated, repeated, incomplete, unknown or of another version is an
// error.
//
// Field names are snake_case. Counts, nonces, blocks, rounds and milliseconds are numbers; amounts
// are decimal strings in wei, as is anything else that can exceed 2^53. An EV is a fraction:
// NAME_wei is rounded up, NAME_exact is "n/d". Hashes, addresses and signatures are 0x-hex,
// addresses with their checksum; opaque bytes are base64; times are RFC 3339 in UTC.
//
// Documents of version 1 that pmctl wrote to files are still read.
package format

import (
	"encoding/json"
	"io"

	"github.com/pmctl/pmctl/internal/plainjson"
)

// Version is the version of every document that this package writes.
const Version = 2

// Kinds of documents that can be read back.
const (
	KindParams  = "pmctl.params"
	KindBatch   = "pmctl.batch"
	KindHeaders = "pmctl.headers"
	KindStore   = "pmctl.store"
)

// kindError is the kind of an error document.
const kindError = "pmctl.error"

// Error is a failed command's error, for programs.
type Error struct {
	// Code is the stable code of the error.
	Code string `json:"code"`
	// ExitCode is the process's exit status.
	ExitCode int `json:"exit_code"`
	// URL is that of the recipient that a line of a stream names; "" for any other error.
	URL string `json:"url,omitempty"`
	// Message says what happened, and Hint what to do about it.
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Warning is a fact about a result that a program may have to act on.
type Warning struct {
	// Code is the stable code of the warning.
	Code string `json:"code"`

	// Message says the same to people.
	Message string `json:"message"`
}

// envelope is the outer object of a document.
type envelope struct {
	Kind    string `json:"kind"`
	Version int    `json:"version"`
	Data    any    `json:"data,omitempty"`
	Error   any    `json:"error,omitempty"`
}

// Write writes a document with its kind, version and data.
func Write(w io.Writer, kind string, data any) error {
	encoder := newEncoder(w)
	encoder.SetIndent("", indent)
	return encoder.Encode(envelope{Kind: kind, Version: Version, Data: data})
}

// WriteLine writes a document on one line.
func WriteLine(w io.Writer, kind string, data any) error {
	return newEncoder(w).Encode(envelope{Kind: kind, Version: Version, Data: data})
}

// WriteError writes an error document on one line.
func WriteError(w io.Writer, e Error) error {
	return newEncoder(w).Encode(envelope{Kind: kindError, Version: Version, Error: e})
}

const indent = "  "

// newEncoder returns an encoder that does not escape <, > and &, but what would act on a terminal.
func newEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(plainjson.Writer{Writer: w})
	encoder.SetEscapeHTML(false)
	return encoder
}
