package wallet

import (
	"context"
	"errors"

	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// CodeUnreachable is the code that agents give to errors which Unreachable is true of.
const CodeUnreachable = "unreachable"

// Unreachable tells an error of what was asked over a network and did not answer, which
// concerns more than the one thing that was asked for.
func Unreachable(err error) bool {
	var remote *agent.RemoteError
	if errors.As(err, &remote) {
		return remote.Said.Code == CodeUnreachable
	}
	for _, target := range []error{
		chain.ErrUnreachable, chain.ErrNoDevnet, ErrNoNode, pay.ErrUnreachable, pay.ErrNotRecipient, store.ErrUnreachable, context.DeadlineExceeded,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
