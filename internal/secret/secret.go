// Package secret recognizes what may be a private key among words that are shown.
package secret

import (
	"encoding/hex"
	"strings"
)

// LooksLikeKey reports whether text could be a private key, which an error must not repeat.
func LooksLikeKey(text string) bool {
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(text), "0x"))
	return err == nil && len(raw) == 32
}
