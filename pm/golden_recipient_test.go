package pm

import (
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

// recipientCase is the answer of the deployed network's recipient to one sender.
type recipientCase struct {
	Name                                        string
	ClaimedByRecipient, ClaimedInCurrentRound   decimal
	Deposit, FundsRemaining, PoolSize           decimal
	EV, GasPrice, MaxFaceValue, LastSeenL1Block decimal
	PricePerPixel                               string
	RedeemGas, TxCostMultiplier                 int
	MaxFloat                                    decimal
	FaceValue, WinProb, ExpirationBlock         decimal
	TicketEV, TxCostMultiplierResult            string
	Error                                       string
}

func TestGoldenRecipientParams(t *testing.T) {
	sender, addr := RandAddress(), RandAddress()
	for _, c := range readGolden(t).RecipientParams {
		t.Run(c.Name, func(t *testing.T) {
			chain := newTestChain()
			chain.block, chain.pool, chain.gasPrice = c.LastSeenL1Block.Int, c.PoolSize.Int, c.GasPrice.Int
			chain.senders[sender] = &SenderInfo{
				Deposit:       c.Deposit.Int,
				WithdrawRound: new(big.Int),
				Reserve:       &ReserveInfo{c.FundsRemaining.Int, c.ClaimedInCurrentRound.Int},
			}
			chain.claimed[addr] = c.ClaimedByRecipient.Int
			sm := NewSenderMonitor(&LocalSenderMonitorConfig{Claimant: addr}, chain, chain, chain, &memoryStore{})
			config := TicketParamsConfig{EV: c.EV.Int, RedeemGas: c.RedeemGas, TxCostMultiplier: c.TxCostMultiplier}
			r, err := NewRecipient(addr, nil, NewValidator(&DefaultSigVerifier{}, chain), chain, sm, chain, config)
			if err != nil {
				t.Fatal(err)
			}
			r.SetMaxFaceValue(c.MaxFaceValue.Int)

			maxFloat, err := sm.MaxFloat(sender)
			if err != nil {
				t.Fatal(err)
			}
			equalInt(t, "max float", maxFloat, c.MaxFloat.Int)
			price, _ := new(big.Rat).SetString(c.PricePerPixel)
			params, err := r.TicketParams(sender, price)
			multiplier, multiplierErr := r.TxCostMultiplier(sender)
			if c.Error != "" {
				for _, err := range []error{err, multiplierErr} {
					if !errors.Is(err, ErrInsufficientSenderReserve) || err.Error() != c.Error {
						t.Errorf("error is %v, want %s", err, c.Error)
					}
				}
				return
			}
			if err != nil || multiplierErr != nil {
				t.Fatal(err, multiplierErr)
			}
			equalInt(t, "face value", params.FaceValue, c.FaceValue.Int)
			equalInt(t, "winProb", params.WinProb, c.WinProb.Int)
			equalInt(t, "expiration block", params.ExpirationBlock, c.ExpirationBlock.Int)
			equalRat(t, "EV", params.EV(), c.TicketEV)
			equalRat(t, "tx cost multiplier", multiplier, c.TxCostMultiplierResult)
			equalRat(t, "price", params.PricePerPixel, c.PricePerPixel)
			if params.Recipient != addr {
				t.Errorf("recipient is %v, want %v", params.Recipient, addr)
			}
			if want := (TicketExpirationParams{10, common.Hash{0xaa}}); *params.ExpirationParams != want {
				t.Errorf("expiration params are %v, want %v", *params.ExpirationParams, want)
			}
		})
	}
}

func equalInt(t *testing.T, what string, got, want *big.Int) {
	t.Helper()
	if got.Cmp(want) != 0 {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
