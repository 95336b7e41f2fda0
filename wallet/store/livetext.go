package store

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// A payment is recorded with texts that the client chose, which consumers get with its usage and
// orchestrators in an HTTP header. maxText and maxCapabilities bound them, in bytes: the longest of
// them still make a session that can be read again.
const (
	maxText         = 512
	maxCapabilities = 16 << 10
)

// TextError is a text that is not recorded: it is too long, or has bytes that a database does
// not keep.
type TextError struct {
	// Name is what the text is.
	Name string
	// Length is how many bytes it has where these are more than Max, else 0.
	Length, Max int
}

func (e *TextError) Error() string {
	if e.Length > 0 {
		return fmt.Sprintf("%s has %d bytes, and may have at most %d", e.Name, e.Length, e.Max)
	}
	return e.Name + " must be UTF-8 without NUL characters"
}

// Status implements live.Refusal.
func (*TextError) Status() int { return http.StatusBadRequest }

// CheckText fails with *TextError for a text that is not recorded.
func CheckText(name, text string) error {
	if len(text) > maxText {
		return &TextError{name, len(text), maxText}
	}
	return checkKept(name, text)
}

// CheckCapabilities fails with *TextError for encoded capabilities that are too long to be recorded.
func CheckCapabilities(encoded []byte) error {
	if size := len(encoded); size > maxCapabilities {
		return &TextError{"capabilities", size, maxCapabilities}
	}
	return nil
}

// checkKept fails with *TextError for a text that a database does not keep.
func checkKept(name, text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return &TextError{Name: name}
	}
	return nil
}
