// Package format has the documents that cross stdin, stdout or a file: ticket params,
// batches of tickets and errors, each with its kind and version, and the two headers
// of a payment.
//
// Write and NewBatchWriter make them. Read takes one kind of document and Decode any
// of them; both are strict: what is cut off, repeated, missing, unknown or of another
// version is an error, never a guess.
//
// Fields are snake_case. Integers of 64 bits and more are decimal strings, narrower
// ones are numbers; amounts are decimal strings in wei; hashes, addresses and
// signatures are 0x-hex, addresses with their checksum; bytes that are only carried
// are base64; times are RFC 3339 in UTC.
package format

import (
	"encoding/json"
	"io"
)

// Version is the version of every document that this package writes.
const Version = 1

// Kinds of documents that are read back.
const (
	KindParams = "pmctl.params"
	KindBatch  = "pmctl.batch"
)

// kindError is the kind of the document of an error.
const kindError = "pmctl.error"

// Error is what a failed command says to a program.
type Error struct {
	// Code names the reason for programs.
	Code string `json:"code"`

	// ExitCode is the process's exit status.
	ExitCode int `json:"exit_code"`

	// Message says what happened, and Hint what to do about it.
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// envelope is a document as it is written.
type envelope struct {
	Kind    string `json:"kind"`
	Version int    `json:"version"`
	Data    any    `json:"data,omitempty"`
	Error   any    `json:"error,omitempty"`
}

// Write writes a document: its kind, its version and its data.
func Write(w io.Writer, kind string, data any) error {
	encoder := newEncoder(w)
	encoder.SetIndent("", indent)
	return encoder.Encode(envelope{Kind: kind, Version: Version, Data: data})
}

// WriteLine writes a document on one line.
func WriteLine(w io.Writer, kind string, data any) error {
	return newEncoder(w).Encode(envelope{Kind: kind, Version: Version, Data: data})
}

// WriteError writes the document of an error, on one line.
func WriteError(w io.Writer, e Error) error {
	return newEncoder(w).Encode(envelope{Kind: kindError, Version: Version, Error: e})
}

// indent is what a level of a document is indented by.
const indent = "  "

// newEncoder returns an encoder that leaves <, > and & readable.
func newEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder
}
