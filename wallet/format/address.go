package format

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/secret"
)

// Errors about text that is not an address.
var (
	// ErrLooksLikeKey is returned for a possible private key. The error does not repeat it.
	ErrLooksLikeKey = errors.New("that looks like a private key, not an address")
	// ErrAddress is returned for any other text.
	ErrAddress = errors.New("not an address")
	// ErrChecksum is returned for an address in mixed case whose checksum is wrong.
	ErrChecksum = errors.New("wrong checksum")
)

// ParseAddress parses 0x and 40 hex digits. Mixed case is a checksum, which must be right. It
// returns ErrLooksLikeKey, ErrAddress or ErrChecksum.
func ParseAddress(text string) (common.Address, error) {
	digits, ok := strings.CutPrefix(text, "0x")
	if secret.LooksLikeKey(text) {
		return common.Address{}, ErrLooksLikeKey
	}
	if !ok || !common.IsHexAddress(text) {
		return common.Address{}, fmt.Errorf("%q is %w: 0x and 40 hex digits", text, ErrAddress)
	}
	address := common.HexToAddress(text)
	oneCase := digits == strings.ToLower(digits) || digits == strings.ToUpper(digits)
	if !oneCase && text != address.Hex() {
		return common.Address{}, fmt.Errorf("%s has a %w: one digit is wrong, or the address is %s", text, ErrChecksum, address)
	}
	return address, nil
}
