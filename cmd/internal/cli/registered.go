package cli

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/pay"
)

// ServiceURI is a recipient's own text in the registry, for a person.
func ServiceURI(text string) string {
	if text == "" {
		return "none in the service registry"
	}
	return PlainText(text)
}

// shortened is a stranger's text as part of a message.
func shortened(text string) string {
	const most = 120
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// IsRegisteredAt tells whether one of a recipient's own entries in the registries is u.
func IsRegisteredAt(recipient chain.Recipient, u pay.URL) bool {
	return IsURI(recipient.ServiceURI, u) || IsURI(recipient.AIServiceURI, u)
}

// IsURI tells whether a text of the service registry is u.
func IsURI(uri string, u pay.URL) bool {
	registered, err := pay.ParseServiceURI(uri)
	return err == nil && registered == u
}

// Entries are a recipient's texts in the registries, for a person: the one for AI work is
// named where it is another.
func Entries(recipient chain.Recipient) string {
	text := shortened(ServiceURI(recipient.ServiceURI))
	if ai := recipient.AIServiceURI; ai != "" && ai != recipient.ServiceURI {
		text += ", and for AI work " + shortened(ServiceURI(ai))
	}
	return text
}

// Disagreement is what speaks against paying a recipient that the registry has elsewhere.
func Disagreement(u pay.URL, recipient common.Address, registered chain.Recipient) error {
	return WithHint(fmt.Errorf("%w: %s pays %v, and the registry has %s for %v", errDisagrees, u,
		recipient, Entries(registered), registered.Address),
		"pay there only if you know from elsewhere whose URL it is; then say --recipient %v", recipient)
}
