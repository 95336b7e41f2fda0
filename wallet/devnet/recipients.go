package devnet

import (
	"context"
	"errors"
)

// startRecipient starts the package's own recipient.
func startRecipient(context.Context, RecipientEnv) (Recipient, error) {
	return nil, errors.New("this network has no recipients of its own")
}
