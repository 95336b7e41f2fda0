package pay

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/secret"
	"github.com/pmctl/pmctl/wallet/format"
)

// Target is a recipient as a user names it: by its URL, or by its address, whose URL the service
// registry has. If named by address, no other address is paid.
type Target struct {
	URL     URL
	Address common.Address
}

// ParseTarget parses a recipient's address, which begins with 0x, or its URL as ParseURL does. It
// returns ErrURL, the errors of format.ParseAddress, and format.ErrAddress for the zero address.
func ParseTarget(text string) (Target, error) {
	if strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X") || secret.LooksLikeKey(text) {
		address, err := format.ParseAddress(text)
		if err == nil && address == (common.Address{}) {
			err = fmt.Errorf("%s is %w of a recipient: the zero address belongs to no account", text, format.ErrAddress)
		}
		return Target{Address: address}, err
	}
	u, err := ParseURL(text)
	if err != nil {
		err = hint.With(err, "or pass the recipient's address, 0x…; pmctl recipient list shows the active ones")
	}
	return Target{URL: u}, err
}

// ErrNoTarget is returned for the zero Target.
var ErrNoTarget = errors.New("no recipient: the Target is zero; use one of ParseTarget")

// Check fails with ErrNoTarget for the zero Target.
func (t Target) Check() error {
	if t == (Target{}) {
		return ErrNoTarget
	}
	return nil
}

// String returns the address or the URL.
func (t Target) String() string {
	if t.Address != (common.Address{}) {
		return t.Address.Hex()
	}
	return t.URL.String()
}

// OtherRecipientError is returned for ticket params that pay another address than the one that the
// user named, or that was paid at the same URL before.
type OtherRecipientError struct {
	// URL is where the params were fetched.
	URL string
	// Was is the address named or paid before, Now the one that the params pay.
	Was, Now common.Address
	// Named reports whether the user named Was.
	Named bool
}

func (e *OtherRecipientError) Error() string {
	if e.Named {
		return fmt.Sprintf("the recipient at %s wants to be paid as %v, but you chose %v", e.URL, e.Now, e.Was)
	}
	return fmt.Sprintf("the recipient at %s has changed: you paid %v there before, now it wants to be paid as %v", e.URL, e.Was, e.Now)
}

// Hint says what can be done.
func (e *OtherRecipientError) Hint() string {
	if e.Named {
		return fmt.Sprintf("the service registry's entry of %v leads there; compare the two: pmctl recipient show %v", e.Was, e.Was)
	}
	return fmt.Sprintf("nothing in the answer proves who sent it; look the address up with pmctl recipient show %v, and accept it with --recipient %v", e.Now, e.Now)
}
