package check

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
)

// ErrDisagrees is returned if the registry contradicts a recipient's answer.
var ErrDisagrees = errors.New("the service registry contradicts the recipient")

// IsRegisteredAt reports whether one of a recipient's entries in the registries is u.
func IsRegisteredAt(recipient chain.Recipient, u pay.URL) bool {
	return isEntry(recipient.ServiceURI, u) || isEntry(recipient.AIServiceURI, u)
}

func isEntry(entry string, u pay.URL) bool {
	registered, err := pay.ParseServiceURI(entry)
	return err == nil && registered == u
}

// EntryText returns a recipient's registry entry for display.
func EntryText(entry string) string {
	if entry == "" {
		return "none in the service registry"
	}
	return format.PlainText(entry)
}

// entries returns a recipient's registry entries for a message; the one for AI work only if it
// differs.
func entries(recipient chain.Recipient) string {
	short := func(entry string) string { return words.Cut(EntryText(entry), 120) }
	text := short(recipient.ServiceURI)
	if ai := recipient.AIServiceURI; ai != "" && ai != recipient.ServiceURI {
		text += ", and for AI work " + short(ai)
	}
	return text
}

// Disagreement returns ErrDisagrees for a recipient at u whose registry entries differ from u.
func Disagreement(u pay.URL, recipient common.Address, registered chain.Recipient) error {
	return hint.With(fmt.Errorf("%w: %s wants to be paid as %v, but the registry has %s for %v", ErrDisagrees, u, recipient, entries(registered), registered.Address),
		"if you know from another source that the URL belongs to that address, pass --recipient %v", recipient)
}
