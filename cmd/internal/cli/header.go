package cli

import (
	"strings"
	"unicode"
)

// ParseHeader reads a header of HTTP requests, written as NAME: VALUE. It returns false for text
// that no request can have as one.
func ParseHeader(text string) (name, value string, ok bool) {
	name, value, found := strings.Cut(text, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	return name, value, found && IsToken(name) && !strings.ContainsFunc(value, unicode.IsControl)
}

// IsToken reports whether text is a token of HTTP, as names of headers and methods are.
func IsToken(text string) bool {
	const others = "!#$%&'*+-.^_`|~"
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool {
		return c >= unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune(others, c)
	})
}
