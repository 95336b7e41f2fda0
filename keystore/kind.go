package keystore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pmctl/pmctl/internal/input"
)

// otherKind describes a file that is not a JSON key file, as far as possible. Its errors wrap
// ErrUnsupported or ErrDamaged.
func otherKind(data []byte) error {
	switch trimmed := bytes.TrimSpace(data); {
	case isUTF16(data):
		return fmt.Errorf("%w: it is UTF-16 text; save it as UTF-8", ErrUnsupported)
	case len(trimmed) == 0, trimmed[0] == '{':
		return nil
	case trimmed[0] == '[':
		return fmt.Errorf("%w: it is a JSON array; a key file is one JSON object", ErrUnsupported)
	case isMnemonic(trimmed):
		return fmt.Errorf("%w: it is a mnemonic phrase, which pmctl does not derive accounts from; export the account's private key from the wallet that made it", ErrUnsupported)
	}
	return nil
}

// IsKeyFile reports whether data should be read as a key file of any kind, and not as the digits of
// a raw key.
func IsKeyFile(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte(input.ByteOrderMark))
	return otherKind(data) != nil || bytes.HasPrefix(bytes.TrimSpace(data), []byte("{"))
}

func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) ||
		bytes.HasPrefix(data, []byte("{\x00")) || bytes.HasPrefix(data, []byte("\x00{"))
}

// isMnemonic reports whether text looks like a phrase of 12 to 24 words.
func isMnemonic(text []byte) bool {
	if len(text) > 300 || !utf8.Valid(text) {
		return false
	}
	words := strings.Fields(string(text))
	for _, word := range words {
		if len(word) < 3 || strings.ToLower(word) != word || strings.ContainsAny(word, `0123456789{}[]":,._-`) {
			return false
		}
	}
	return len(words) >= 12 && len(words) <= 24 && len(words)%3 == 0
}

// otherWallet identifies wallet files in JSON that are not key files of version 3. Its errors wrap
// ErrUnsupported.
func otherWallet(fields map[string]json.RawMessage) error {
	has := func(name string) bool {
		for found := range fields {
			if strings.EqualFold(found, name) {
				return true
			}
		}
		return false
	}
	version := strings.Trim(string(fields["version"]), `"`)
	switch {
	case has("encseed") && (has("ethaddr") || has("btcaddr")):
		return fmt.Errorf("%w: it is an Ethereum presale wallet; import it with geth wallet import, and use the key file that it writes", ErrUnsupported)
	case version == "1":
		return fmt.Errorf("%w: it is a key file of version 1; geth account update ADDRESS rewrites it as version 3", ErrUnsupported)
	case version == "4" && (has("pubkey") || has("path")):
		return fmt.Errorf("%w: it is an EIP-2335 key file of a validator (a BLS key), which signs no payments", ErrUnsupported)
	case has("mnemonic") && !has("crypto"):
		return fmt.Errorf("%w: it contains a mnemonic phrase; export the account's private key from the wallet that made it", ErrUnsupported)
	}
	return nil
}
