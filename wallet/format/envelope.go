// Package format has the documents that cross stdin, stdout or a file.
package format

import (
	"encoding/json"
	"io"
)

// Version is the version of every document that this package writes.
const Version = 1

// Error is what a failed command says to a program.
type Error struct {
	Code     string `json:"code"`
	ExitCode int    `json:"exit_code"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

// Write writes a document: its kind, its version and its data.
func Write(w io.Writer, kind string, data any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Kind    string `json:"kind"`
		Version int    `json:"version"`
		Data    any    `json:"data"`
	}{kind, Version, data})
}

// WriteError writes the document of an error, on one line.
func WriteError(w io.Writer, e Error) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(struct {
		Kind    string `json:"kind"`
		Version int    `json:"version"`
		Error   Error  `json:"error"`
	}{"pmctl.error", Version, e})
}
