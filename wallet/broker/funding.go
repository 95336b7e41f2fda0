package broker

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/contract"
)

// Funding is what a transaction should add to a sender's deposit and reserve, in wei; nil counts as 0.
type Funding struct {
	Sender           common.Address
	Deposit, Reserve *big.Int
}

// FundingError is a mined or simulated call that did not fund what it should.
type FundingError struct {
	Funding

	// Transaction is the mined transaction's hash; zero for a simulated one.
	Transaction common.Hash

	// Broker is the contract that was called.
	Broker common.Address

	// Events is set if the contract's events show it; otherwise its state does. GotDeposit and
	// GotReserve are what they show as added, in wei.
	Events                 bool
	GotDeposit, GotReserve *big.Int
}

func (e *FundingError) Error() string {
	what := "the simulated transaction"
	if e.Transaction != (common.Hash{}) {
		what = fmt.Sprintf("transaction %v was mined, but it", e.Transaction)
	}
	by := "according to getSenderInfo before and after"
	if e.Events {
		by = "according to the events"
	}
	return fmt.Sprintf("%s did not fund %v as it should: %s of the TicketBroker at %v the deposit grew by %v wei and the reserve by %v wei, not by %v wei and %v wei",
		what, e.Sender, by, e.Broker, e.GotDeposit, e.GotReserve, e.Deposit, e.Reserve)
}

// Hint says what can be done.
func (e *FundingError) Hint() string {
	if e.Transaction == (common.Hash{}) {
		return "nothing was sent; check --controller and --network, or pass another node's --rpc-url"
	}
	return fmt.Sprintf("do not fund again before you have checked it with another node: pmctl tx wait %v --rpc-url URL", e.Transaction)
}

// CheckEvents adds up the funding in a transaction's events of the contract at broker; the hash
// is zero for a simulated one. It fails with *FundingError.
func (f Funding) CheckEvents(broker common.Address, hash common.Hash, logs []*types.Log) error {
	deposit, reserve := new(big.Int), new(big.Int)
	for _, log := range logs {
		if log.Address != broker || SenderOf(*log) != f.Sender {
			continue
		}
		event, _ := Decode(log) // other logs fund nothing
		switch e := event.(type) {
		case *contract.TicketBrokerDepositFunded:
			deposit.Add(deposit, e.Amount)
		case *contract.TicketBrokerReserveFunded:
			reserve.Add(reserve, e.Amount)
		}
	}
	return f.compare(&FundingError{Transaction: hash, Broker: broker, Events: true, GotDeposit: deposit, GotReserve: reserve})
}

// CheckGrowth compares a sender's funds before and after, as CheckEvents does.
func (f Funding) CheckGrowth(broker common.Address, hash common.Hash, before, after Funds) error {
	return f.compare(&FundingError{
		Transaction: hash, Broker: broker,
		GotDeposit: new(big.Int).Sub(after.Deposit.Big(), before.Deposit.Big()),
		GotReserve: new(big.Int).Sub(after.Reserve.Big(), before.Reserve.Big()),
	})
}

// compare returns the error unless it has the amounts that it should.
func (f Funding) compare(got *FundingError) error {
	if got.GotDeposit.Cmp(num.OrZero(f.Deposit)) == 0 && got.GotReserve.Cmp(num.OrZero(f.Reserve)) == 0 {
		return nil
	}
	got.Funding = f
	return got
}
