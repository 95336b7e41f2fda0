package wallet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/internal/facts"
	"github.com/pmctl/pmctl/wallet/wei"
)

// The checks of a remote signer.
const (
	SignerCheckStore   = "store"
	SignerCheckChain   = "chain"
	SignerCheckDeposit = "deposit"
	SignerCheckReserve = "reserve"
	SignerCheckUnlock  = "unlock"
	SignerCheckKey     = "key"
)

// SignerCheck is one of the conditions under which a remote signer can pay. Err is why it is not
// met, nil if it is.
type SignerCheck struct {
	Name string
	Err  error
}

// Checks checks whether the signer can pay: the store answers and can be written, the chain's data is recent, there
// are a deposit and a reserve and no unlock, and the key signs.
func (s *RemoteSigner) Checks(ctx context.Context) []SignerCheck {
	_, stored := s.wallet.store.Clients().All(ctx)
	if stored == nil {
		stored = s.announcer.written(ctx)
	}
	checks := []SignerCheck{{SignerCheckStore, stored}}
	said, err := s.facts()
	checks = append(checks, SignerCheck{SignerCheckChain, err})
	for _, c := range []struct {
		name  string
		check func(*pm.SenderInfo) error
	}{
		{SignerCheckDeposit, func(sender *pm.SenderInfo) error { return positive("deposit", sender.Deposit) }},
		{SignerCheckReserve, func(sender *pm.SenderInfo) error { return positive("reserve", remaining(sender)) }},
		{SignerCheckUnlock, func(sender *pm.SenderInfo) error {
			if round := num.OrZero(sender.WithdrawRound); round.Sign() > 0 {
				return fmt.Errorf("an unlock is in progress, and funds can be withdrawn from round %v: run pmctl unlock cancel", round)
			}
			return nil
		}},
	} {
		failed := err
		if said.Sender != nil {
			failed = c.check(said.Sender)
		}
		checks = append(checks, SignerCheck{c.name, failed})
	}
	_, err = s.key.Sign(ctx, wire.OrchestratorRequestMessage(s.key.Address()))
	return append(checks, SignerCheck{SignerCheckKey, err})
}

// Alive reports whether the process works: what its requests share is not locked for ever. Whether
// it can pay is Checks'.
func (s *RemoteSigner) Alive() bool {
	s.cache.Known()
	return true
}

// errNotAnswered is why there is nothing newer while the node is asked.
var errNotAnswered = errors.New("the node was asked, and has not answered yet")

// facts returns what the chain said last, with chain.ErrUnreachable if that is too old for a payment.
func (s *RemoteSigner) facts() (pm.Facts, error) {
	said, age, ok := s.cache.Known()
	most := s.limits().MaxHeadAge
	failed := cmp.Or(s.cache.Failed(), errNotAnswered)
	switch {
	case !ok:
		return said, facts.Stale(0, most, failed)
	case age > most:
		return said, facts.Stale(age, most, failed)
	}
	return said, nil
}

// remaining is what is left of a sender's reserve.
func remaining(sender *pm.SenderInfo) *big.Int {
	if sender.Reserve == nil {
		return nil
	}
	return sender.Reserve.FundsRemaining
}

func positive(what string, amount *big.Int) error {
	if num.OrZero(amount).Sign() > 0 {
		return nil
	}
	return fmt.Errorf("the %s is %s: run pmctl fund", what, wei.Format(new(big.Rat)))
}
