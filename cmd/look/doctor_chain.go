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
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// chain are the checks of what the node tells.
func (p *patient) chain() []check.Check {
	funds := []string{"contracts", "head", "account"}
	fees := []string{"contracts", "paused", "account", "head"}
	return []check.Check{
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
func (p *patient) checkNode(ctx context.Context) check.Finding {
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
		return failed(err, "a node that answers", check.Yours+"--rpc-url, ETH_RPC_URL, or rpc_urls in the config file")
	}
	if err != nil {
		p.findErr = err
	}
	return check.Fine("%s answers", p.node.URL())
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

func (p *patient) checkChainID(context.Context) check.Finding {
	var other *chain.ChainIDError
	if errors.As(p.findErr, &other) {
		return failed(other, fmt.Sprintf("%d (%s)", other.Want, other.Network), check.Yours+"--network and --rpc-url").At(fmt.Sprint(other.Got))
	}
	return check.Fine("%d", p.network.ChainID)
}

// checkContracts also reads all that the contracts tell at once, for the checks to come, and
// what the cheapest funding there is would cost. That stands for any transaction: they cost
// about the same.
func (p *patient) checkContracts(ctx context.Context) check.Finding {
	err := p.findErr
	if err == nil {
		err = p.consider(ctx)
	}
	var changed *chain.ContractsError
	if errors.As(err, &changed) {
		return failed(changed, "the contracts that are known here", check.Networks+"the node's answer; --rpc-url")
	}
	if err != nil {
		return failed(err, "a registry that knows all contracts, and code where they are", check.Yours+"--controller, --network").Or("check --controller and --network")
	}
	return check.Fine("the registry knows them, and they answer")
}

func (p *patient) checkHead(context.Context) check.Finding {
	age := p.run.Now().Sub(p.head.Time)
	if most := p.network.MaxHeadAge; most > 0 && age > most {
		stale := &chain.StaleError{URL: p.node.URL(), Age: age, Max: most}
		return failed(stale, fmt.Sprintf("at most %s, unless the clock here is fast", most), check.Yours+"--rpc-url, rpc_urls; or the clock").At(fmt.Sprintf("block %d is %s old", p.head.Number, age.Round(time.Second)))
	}
	return check.Fine("block %d, %s old", p.head.Number, max(0, age).Round(time.Second))
}

// maxClockSkew is how far the chain's time may be ahead of the clock here: nodes take
// blocks that are some seconds ahead of theirs.
const maxClockSkew = 15 * time.Second

// checkClock finds a clock that is slow. One that is fast looks like a stale head.
func (p *patient) checkClock(context.Context) check.Finding {
	ahead := p.head.Time.Sub(p.run.Now())
	if ahead <= maxClockSkew {
		return check.Fine("it agrees with the chain")
	}
	if p.network.OwnClock {
		return check.Fine("the local network is %s ahead, as its blocks are", ahead.Round(time.Second))
	}
	err := cli.WithHint(fmt.Errorf("the clock here is %s behind the newest block", ahead.Round(time.Second)),
		"set the clock, for example with: timedatectl set-ntp true")
	return failed(err, fmt.Sprintf("at most %s", maxClockSkew), check.Yours+"this machine's clock").At(fmt.Sprintf("%s behind the newest block", ahead.Round(time.Second)))
}

func (p *patient) checkPaused(context.Context) check.Finding {
	if !p.status.Paused {
		return check.Fine("no")
	}
	err := &contract.RevertError{Reason: contract.ErrPaused.Error()}
	return failed(err, "contracts that are not", check.Networks+"the controller's owner").Or("wait until they go on")
}

func (p *patient) checkRound(context.Context) check.Finding {
	round := p.status.Round
	if round.Initialized {
		return check.Fine("%v, initialized", round.Current)
	}
	return check.Finding{State: check.Warning, Found: fmt.Sprintf("round %v is not initialized, the last one that is: %v", round.Current, round.LastInitialized),
		Allowed: "a current round that is", Knob: check.Networks + "RoundsManager.initializeRound()",
		Fix: "wait: anybody can initialize it, and somebody does; until then winning tickets are not redeemed"}
}

func (p *patient) consider(ctx context.Context) error {
	funding := cheapestFunding()
	outlook, err := p.node.Consider(ctx, p.address, funding.Value.Big(), funding.Data, nil)
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
	return tx.Call{Value: wei.FromUint64(1), Data: broker.FundDeposit()}
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

func (p *patient) checkBalance(ctx context.Context) check.Finding {
	const knob = check.Yours + "what the account holds"
	err := p.prepared(ctx, tx.Caps{})
	var poor *tx.InsufficientFundsError
	switch {
	case errors.As(err, &poor):
		return failed(err, fmt.Sprintf("at least %s, for one transaction", poor.Need), knob).At(poor.Have.String())
	case err != nil:
		return failed(err, "enough for one transaction", knob).Or("pmctl status shows what the account has")
	}
	return check.Fine("%s", p.status.Sender.Balance)
}

func (p *patient) checkGasPrice(ctx context.Context) check.Finding {
	err := p.prepared(ctx, wallet.Caps(p.limits))
	var dear *tx.PriceError
	if errors.As(err, &dear) {
		return failed(err, "what your limits allow", check.Yours+"--max-gas-price, --max-fee").Or("wait for a lower price, or allow more")
	}
	return check.Fine("within your limits")
}

// facts are what the checks of params need of the chain.
func (p *patient) facts() pm.Facts {
	return pm.Facts{
		LastSeenL1Block:      new(big.Int).SetUint64(p.status.Head.L1Block),
		LastInitializedRound: p.status.Round.LastInitialized,
		Sender:               p.status.Sender.Info(),
	}
}

// withdrawn tells whether the sender took everything out, and no recipient is to be paid.
// The contract keeps the withdraw round of such a sender.
func (p *patient) withdrawn() bool {
	s := &p.status.Sender
	return p.recipient.client == nil && !s.Funded() && s.WithdrawRound.Sign() != 0
}

func (p *patient) checkDeposit(context.Context) check.Finding {
	if p.withdrawn() {
		return check.Finding{State: check.Warning, Found: fmt.Sprintf("%s: all was withdrawn", p.status.Sender.Deposit),
			Allowed: "more than 0, to pay recipients", Knob: check.Yours + "what you fund", Fix: "to pay again: pmctl fund --deposit AMOUNT --reserve AMOUNT"}
	}
	return p.checkFunds(pm.ErrNoDeposit, p.status.Sender.Deposit)
}

func (p *patient) checkReserve(context.Context) check.Finding {
	if p.withdrawn() {
		return check.NotMade("needs deposit")
	}
	return p.checkFunds(pm.ErrNoReserve, p.status.Sender.Reserve)
}

// checkFunds looks whether one of the two is there at all.
func (p *patient) checkFunds(none error, amount wei.Wei) check.Finding {
	facts := p.facts()
	facts.Sender.WithdrawRound = nil // a check of its own
	if err := policy.CheckSender(facts); errors.Is(err, none) {
		return failed(err, "more than 0", check.Yours+"what you fund").At(amount.String())
	}
	return check.Fine("%s", amount)
}

// checkLock looks whether recipients take the sender to be about to leave. The withdraw
// round of one whose funds are gone is a leftover.
func (p *patient) checkLock(context.Context) check.Finding {
	state := p.status.Lock()
	if state == broker.Empty || state == broker.Locked {
		return check.Fine("%s", state)
	}
	at := fmt.Sprintf("%s: the funds can be withdrawn from round %v", state, p.status.Sender.WithdrawRound)
	if err := policy.CheckSender(p.facts()); errors.Is(err, pm.ErrSenderUnlocking) {
		return failed(err, "funds that stay locked for more than a round", check.Yours+"pmctl unlock").At(at)
	}
	return check.Finding{State: check.Warning, Found: at, Allowed: "funds that stay locked", Knob: check.Yours + "pmctl unlock", Fix: "keep them with: pmctl unlock cancel"}
}
