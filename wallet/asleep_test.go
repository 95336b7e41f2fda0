package wallet_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/clock/clocktest"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestASleepAtThePassphrase of a funding that needs no yes: an unlock that began meanwhile elsewhere
// is seen, whichever clock shows that time has passed.
func TestASleepAtThePassphrase(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]time.Duration{"asleep": time.Hour, "set back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			r := newRich(t, map[string]string{"deposit": "1eth"})
			r.fund(wei.FromUint64(7))
			config, slept := r.config(0), time.Duration(0)
			key := config.Account
			config.Account = signer.Later(key.Address(), func(context.Context) (*signer.Account, error) {
				r.do(wallet.Unlock())
				slept = set
				return key, nil
			})
			config.Now = func() time.Time { return clocktest.Asleep(time.Now(), slept) }
			w, err := wallet.Open(t.Context(), config)
			require.NoError(t, err)
			defer w.Close()
			_, err = w.Fund(t.Context(), wallet.Funding{Deposit: wei.FromUint64(7)}, wallet.SendOptions{Agreed: true})
			require.ErrorIs(t, err, wallet.ErrUnlocking)
			r.requireFunds("7 wei", "0 wei")
		})
	}
}
