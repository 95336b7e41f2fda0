package call

import (
	"context"
	"testing"
	"time"

	"github.com/pmctl/pmctl/wallet/signer"
)

// TestTheTimeOfAPassphrase is not paid for: a session begins with its first payment, and the second
// one is for the time since then.
func TestTheTimeOfAPassphrase(t *testing.T) {
	caller, account, r, clock := captured(t)
	open := account.Unlock
	account.Unlock = func(ctx context.Context) (signer.Source, error) {
		account.Unlock = open
		<-clock.Past(time.Minute)
		return open(ctx)
	}
	capturedPixels(t, caller, account, r, clock)
}
