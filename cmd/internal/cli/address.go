package cli

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
)

// ParseAddress reads an address that the user wrote. When its letters are in
// mixed case they are a checksum, which must be right.
func ParseAddress(name, text string) (common.Address, error) {
	address, err := format.ParseAddress(text)
	return address, badValue(name, err)
}

// badValue is the error about a flag's value. A nil err stays nil.
func badValue(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, format.ErrLooksLikeKey):
		return Usagef("%s: %w; other users can see command lines, so treat that key as compromised", name, err)
	}
	return Usage(fmt.Errorf("%s: %w", name, err))
}

// ParseRecipient reads a recipient that the user wrote: its URL, or its address.
func ParseRecipient(text string) (pay.Target, error) {
	to, err := pay.ParseTarget(text)
	if errors.Is(err, pay.ErrURL) {
		return to, Usage(err)
	}
	return to, badValue("recipient", err)
}

// ParseRecipients reads recipients as ParseRecipient does.
func ParseRecipients(texts []string) (recipients []pay.Target, err error) {
	for _, text := range texts {
		to, err := ParseRecipient(text)
		if err != nil {
			return nil, err
		}
		recipients = append(recipients, to)
	}
	return recipients, nil
}
