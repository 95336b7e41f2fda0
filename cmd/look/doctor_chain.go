package look

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/chain/nodes"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/doctor"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// chain are the checks of what the node tells.
func (p *patient) chain() []doctor.Check {
	funds := []string{"contracts", "head", "account"}
	fees := []string{"contracts", "paused", "account", "head"}
	return []doctor.Check{
		{ID: "node", Needs: []string{"network"}, Run: p.bound(p.checkNode)},
		{ID: "chain_id", Needs: []string{"node"}, Run: p.checkChainID},
		{ID: "contracts", Needs: []string{"chain_id"}, Run: p.bound(p.checkContracts)},
		{ID: "head", Needs: []string{"chain_id"}, Run: p.checkHead},
		{ID: "clock", Needs: []string{"chain_id"}, Run: p.checkClock},
		{ID: "paused", Needs: []string{"contracts"}, Run: p.checkPaused},
		{ID: "round", Needs: []string{"contracts", "head"}, Run: p.checkRound},
		{ID: "balance", Needs: fees, Run: p.bound(p.checkBalance)},
		{ID: "gas_price", Needs: append(fees, "limits"), Run: p.bound(p.checkGasPrice)},
		{ID: "deposit", Needs: funds, Run: p.checkDeposit},
		{ID: "reserve", Needs: funds, Run: p.checkReserve},
		{ID: "lock", Needs: funds, Run: p.checkLock},
	}
}

// checkNode finds out whether a node answers. Of several it may be the second that finds
// out that the first serves another chain: that is for the next check to tell.
func (p *patient) checkNode(ctx context.Context) doctor.Finding {
	var err error
	if p.node, err = p.dial(ctx); err == nil {
		p.head, p.findErr, err = p.node.Meet(ctx)
	}
	if isMalformed(err) {
		// It may be the registry that cannot be read: that is for another check to tell.
		p.findErr = err
		p.head, err = p.node.Head(ctx)
	}
	if err != nil && !errors.As(err, new(*chain.ChainIDError)) {
		return failed(err, "a node that answers", yours+"--rpc-url, ETH_RPC_URL, or rpc_urls in the config file")
	}
	if err != nil {
		p.findErr = err
	}
	return fine("%s answers", p.node.URL())
}

// dial also holds the node to the contracts that are known here. A store that cannot be
// read is another check's.
func (p *patient) dial(ctx context.Context) (*chain.Client, error) {
	network, urls, err := p.o.Network.Choose(p.run.Env)
	if err != nil {
		return nil, err
	}
	if known, ok, err := cli.KnownContracts(ctx, p.run.Env, network, &p.o.Store); ok && err == nil {
		network.Contracts = known
	}
	return p.o.Network.DialNetwork(ctx, p.run.Env, network, urls)
}

func (p *patient) checkChainID(context.Context) doctor.Finding {
	var other *chain.ChainIDError
	if errors.As(p.findErr, &other) {
		return found(fmt.Sprint(other.Got), failed(other, fmt.Sprintf("%d (%s)", other.Want, other.Network), yours+"--network and --rpc-url"))
	}
	return fine("%d", p.network.ChainID)
}

// checkContracts also reads all that the contracts tell at once, for the checks to come, and
// what the cheapest funding there is would cost. That stands for any transaction: they cost
// about the same.
func (p *patient) checkContracts(ctx context.Context) doctor.Finding {
	err := p.findErr
	if err == nil {
		err = p.consider(ctx)
	}
	var changed *chain.ContractsError
	if errors.As(err, &changed) {
		return failed(changed, "the contracts that are known here", networks+"the node's answer; --rpc-url")
	}
	if err != nil {
		return orElse("check --controller and --network", failed(err, "a registry that knows all contracts, and code where they are", yours+"--controller, --network"))
	}
	return fine("the registry knows them, and they answer")
}

func (p *patient) checkHead(context.Context) doctor.Finding {
	age := p.run.Now().Sub(p.head.Time)
	if most := p.network.MaxHeadAge; most > 0 && age > most {
		stale := &chain.StaleError{URL: p.node.URL(), Age: age, Max: most}
		return found(fmt.Sprintf("block %d is %s old", p.head.Number, age.Round(time.Second)),
			failed(stale, fmt.Sprintf("at most %s, unless the clock here is fast", most), yours+"--rpc-url, rpc_urls; or the clock"))
	}
	return fine("block %d, %s old", p.head.Number, max(0, age).Round(time.Second))
}

// maxClockSkew is how far the chain's time may be ahead of the clock here: nodes take
// blocks that are some seconds ahead of theirs.
const maxClockSkew = 15 * time.Second

// checkClock finds a clock that is slow. One that is fast looks like a stale head.
func (p *patient) checkClock(context.Context) doctor.Finding {
	ahead := p.head.Time.Sub(p.run.Now())
	if ahead <= maxClockSkew {
		return fine("it agrees with the chain")
	}
	if p.network.OwnClock {
		return fine("the local network is %s ahead, as its blocks are", ahead.Round(time.Second))
	}
	err := cli.WithHint(fmt.Errorf("the clock here is %s behind the newest block", ahead.Round(time.Second)),
		"set the clock, for example with: timedatectl set-ntp true")
	return found(fmt.Sprintf("%s behind the newest block", ahead.Round(time.Second)),
		failed(err, fmt.Sprintf("at most %s", maxClockSkew), yours+"this machine's clock"))
}

func (p *patient) checkPaused(context.Context) doctor.Finding {
	if !p.status.Paused {
		return fine("no")
	}
	err := &contract.RevertError{Reason: contract.ErrPaused.Error()}
	return orElse("wait until they go on", failed(err, "contracts that are not", networks+"the controller's owner"))
}

func (p *patient) checkRound(context.Context) doctor.Finding {
	round := p.status.Round
	if round.Initialized {
		return fine("%v, initialized", round.Current)
	}
	return doctor.Finding{State: doctor.Warning, Found: fmt.Sprintf("round %v is not initialized, the last one that is: %v", round.Current, round.LastInitialized),
		Allowed: "a current round that is", Knob: networks + "RoundsManager.initializeRound()",
		Fix: "wait: anybody can initialize it, and somebody does; until then winning tickets are not redeemed"}
}

func (p *patient) consider(ctx context.Context) error {
	funding := cheapestFunding()
	outlook, err := p.node.Consider(ctx, p.address, chain.Prospect{Value: funding.Value.Big(), Data: funding.Data})
	if err == nil {
		p.status, p.quote = outlook.Status, outlook.Quote
	}
	if isMalformed(err) {
		p.status, err = p.node.Status(ctx, p.address) // it may be the costs that cannot be read
	}
	return err
}

// isMalformed tells whether a node has answered something in a form that cannot be read,
// which says nothing about the rest of what was asked.
func isMalformed(err error) bool {
	var fault *chain.NodeError
	return errors.As(err, &fault) && fault.Fault == nodes.FaultMalformed
}

func cheapestFunding() tx.Call {
	return tx.Call{Value: wei.FromUint64(1), Data: contract.NewTicketBroker().PackFundDeposit()}
}

// prepared judges the cheapest funding by what the node said of it.
func (p *patient) prepared(ctx context.Context, caps tx.Caps) error {
	funding := cheapestFunding()
	funding.To = p.status.Contracts.TicketBroker
	if p.quote == nil {
		_, err := tx.Prepare(ctx, p.node, p.address, funding, caps)
		return err
	}
	_, err := tx.PrepareQuoted(ctx, p.node, p.address, funding, p.quote, caps)
	return err
}

func (p *patient) checkBalance(ctx context.Context) doctor.Finding {
	const knob = yours + "what the account holds"
	err := p.prepared(ctx, tx.Caps{})
	var poor *tx.InsufficientFundsError
	switch {
	case errors.As(err, &poor):
		return found(poor.Have.String(), failed(err, fmt.Sprintf("at least %s, for one transaction", poor.Need), knob))
	case err != nil:
		return orElse("pmctl status shows what the account has", failed(err, "enough for one transaction", knob))
	}
	return fine("%s", p.status.Sender.Balance)
}

func (p *patient) checkGasPrice(ctx context.Context) doctor.Finding {
	err := p.prepared(ctx, wallet.Caps(p.limits))
	var dear *tx.PriceError
	if errors.As(err, &dear) {
		return orElse("wait for a lower price, or allow more", failed(err, "what your limits allow", yours+"--max-gas-price, --max-fee"))
	}
	return fine("within your limits")
}

// facts are what the checks of params need of the chain.
func (p *patient) facts() pm.Facts {
	s := &p.status.Sender
	return pm.Facts{
		LastSeenL1Block:      new(big.Int).SetUint64(p.status.Head.L1Block),
		LastInitializedRound: p.status.Round.LastInitialized,
		Sender:               &pm.SenderInfo{Deposit: s.Deposit.Big(), WithdrawRound: s.WithdrawRound, Reserve: p.reserve()},
	}
}

func (p *patient) reserve() *pm.ReserveInfo {
	s := &p.status.Sender
	return &pm.ReserveInfo{FundsRemaining: s.Reserve.Big(), ClaimedInCurrentRound: s.ClaimedInCurrentRound.Big()}
}

// withdrawn tells whether the sender took everything out, and no recipient is to be paid.
// The contract keeps the withdraw round of such a sender.
func (p *patient) withdrawn() bool {
	s := &p.status.Sender
	return p.recipient.client == nil && !s.Funded() && s.WithdrawRound.Sign() != 0
}

func (p *patient) checkDeposit(context.Context) doctor.Finding {
	if p.withdrawn() {
		return doctor.Finding{State: doctor.Warning, Found: fmt.Sprintf("%s: all was withdrawn", p.status.Sender.Deposit),
			Allowed: "more than 0, to pay recipients", Knob: yours + "what you fund", Fix: "to pay again: pmctl fund --deposit AMOUNT --reserve AMOUNT"}
	}
	return p.checkFunds(pm.ErrNoDeposit, p.status.Sender.Deposit)
}

func (p *patient) checkReserve(context.Context) doctor.Finding {
	if p.withdrawn() {
		return skipped("needs deposit")
	}
	return p.checkFunds(pm.ErrNoReserve, p.status.Sender.Reserve)
}

// checkFunds looks whether one of the two is there at all.
func (p *patient) checkFunds(none error, amount wei.Wei) doctor.Finding {
	facts := p.facts()
	facts.Sender.WithdrawRound = nil // a check of its own
	if err := policy.CheckSender(facts); errors.Is(err, none) {
		return found(amount.String(), failed(err, "more than 0", yours+"what you fund"))
	}
	return fine("%s", amount)
}

// checkLock looks whether recipients take the sender to be about to leave. The withdraw
// round of one whose funds are gone is a leftover.
func (p *patient) checkLock(context.Context) doctor.Finding {
	state := broker.LockOf(p.status)
	if state == broker.Empty || state == broker.Locked {
		return fine("%s", state)
	}
	at := fmt.Sprintf("%s: the funds can be withdrawn from round %v", state, p.status.Sender.WithdrawRound)
	if err := policy.CheckSender(p.facts()); errors.Is(err, pm.ErrSenderUnlocking) {
		return found(at, failed(err, "funds that stay locked for more than a round", yours+"pmctl unlock"))
	}
	return doctor.Finding{State: doctor.Warning, Found: at, Allowed: "funds that stay locked", Knob: yours + "pmctl unlock", Fix: "keep them with: pmctl unlock cancel"}
}
