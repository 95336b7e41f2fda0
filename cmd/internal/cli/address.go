package cli

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/format"
)

// ParseAddress reads an address that the user wrote. When its letters are in
// mixed case they are a checksum, which must be right.
func ParseAddress(name, text string) (common.Address, error) {
	address, err := format.ParseAddress(text)
	if errors.Is(err, format.ErrLooksLikeKey) {
		return address, Usagef("%s: %w; a command line is no secret, so that key must count as known to others", name, err)
	}
	if err != nil {
		return address, Usage(fmt.Errorf("%s: %w", name, err))
	}
	return address, nil
}
