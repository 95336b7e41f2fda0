package check

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
)

// ErrDisagrees is returned when the registry and a recipient's answer contradict each other.
var ErrDisagrees = errors.New("the service registry and the recipient do not agree")

// IsRegisteredAt tells whether one of a recipient's own entries in the registries is u.
func IsRegisteredAt(recipient chain.Recipient, u pay.URL) bool {
	return isEntry(recipient.ServiceURI, u) || isEntry(recipient.AIServiceURI, u)
}

// isEntry tells whether a registry's entry is u.
func isEntry(entry string, u pay.URL) bool {
	registered, err := pay.ParseServiceURI(entry)
	return err == nil && registered == u
}

// EntryText is a recipient's own text in a registry, for a person.
func EntryText(entry string) string {
	if entry == "" {
		return "none in the service registry"
	}
	return format.PlainText(entry)
}

// entries are a recipient's texts in the registries as part of a message: the one for AI work
// is named where it is another.
func entries(recipient chain.Recipient) string {
	short := func(entry string) string {
		const most = 120
		text := EntryText(entry)
		if runes := []rune(text); len(runes) > most {
			return string(runes[:most]) + "…"
		}
		return text
	}
	text := short(recipient.ServiceURI)
	if ai := recipient.AIServiceURI; ai != "" && ai != recipient.ServiceURI {
		text += ", and for AI work " + short(ai)
	}
	return text
}

// Disagreement is what speaks against paying a recipient at u where the registry has other
// entries. It is ErrDisagrees.
func Disagreement(u pay.URL, recipient common.Address, registered chain.Recipient) error {
	return hint.With(fmt.Errorf("%w: %s pays %v, and the registry has %s for %v", ErrDisagrees, u, recipient, entries(registered), registered.Address),
		"pay there only if you know from elsewhere whose URL it is; then say --recipient %v", recipient)
}
