package store

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/pmctl/pmctl/wallet/live"
)

// A payment is recorded with texts that the client chose, which consumers get with its usage and
// orchestrators in an HTTP header. maxText and maxCapabilities bound them, in bytes: the longest of
// them still make a session that can be read again.
const (
	maxText         = 512
	maxCapabilities = 16 << 10
)

// CheckText fails with a live.Refusal for a text that is not recorded.
func CheckText(name, text string) error {
	if len(text) > maxText {
		return tooLong(name, len(text), maxText)
	}
	return checkKept(name, text)
}

// CheckCapabilities fails with a live.Refusal for encoded capabilities that are too long to be recorded.
func CheckCapabilities(encoded []byte) error {
	if size := len(encoded); size > maxCapabilities {
		return tooLong("capabilities", size, maxCapabilities)
	}
	return nil
}

func tooLong(name string, length, most int) error {
	return live.Refuse(http.StatusBadRequest, "%s has %d bytes, and may have at most %d", name, length, most)
}

// checkKept fails with a live.Refusal for a text that a database does not keep.
func checkKept(name, text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return live.Refuse(http.StatusBadRequest, "%s must be UTF-8 without NUL characters", name)
	}
	return nil
}
