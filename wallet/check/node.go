package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/internal/nodes"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// node is a node's answers about the chain, the contracts and the account.
type node struct {
	*Subject
	client  *chain.Client
	head    chain.Head
	findErr error // from the lookup of the contracts
	status  *chain.Status
	quote   *chain.Quote // of the cheapest funding
}

func (n *node) checks() []Check {
	return []Check{
		{"node", []string{"network"}, n.bound(n.answers)},
		{"chain_id", []string{"node"}, n.chainID},
		{"contracts", []string{"chain_id"}, n.bound(n.contracts)},
		{"head", []string{"chain_id"}, n.newest},
		{"clock", []string{"chain_id"}, n.clock},
		{"paused", []string{"contracts"}, n.paused},
		{"round", []string{"contracts", "head"}, n.round},
	}
}

// answers checks that a node answers. If the second of several finds that the first serves another
// chain, the next check reports it.
func (n *node) answers(ctx context.Context) Finding {
	var err error
	if n.client, err = n.Dial(ctx); err == nil {
		n.head, n.findErr, err = n.client.Meet(ctx)
	}
	if isMalformed(err) {
		// If only the registry cannot be read, another check reports it.
		n.findErr = err
		n.head, err = n.client.Head(ctx)
	}
	if err != nil && !errors.As(err, new(*chain.ChainIDError)) {
		return Fail(err, "a node that answers", OwnerUser+"--rpc-url, ETH_RPC_URL, or rpc_urls in the config file")
	}
	if err != nil {
		n.findErr = err
	}
	return Fine("%s answers", n.client.URL())
}

func (n *node) chainID(context.Context) Finding {
	var other *chain.ChainIDError
	if errors.As(n.findErr, &other) {
		return Fail(other, fmt.Sprintf("%d (%s)", other.Want, other.Network), OwnerUser+"--network and --rpc-url").At(fmt.Sprint(other.Got))
	}
	return Fine("%d", n.Network.ChainID)
}

// contracts also reads the contracts' state for the checks to come, and the cost of the cheapest
// funding, which stands for any transaction: their costs are similar.
func (n *node) contracts(ctx context.Context) Finding {
	err := n.findErr
	if err == nil {
		err = n.consider(ctx)
	}
	if changed, ok := errors.AsType[*chain.ContractsError](err); ok {
		return Fail(changed, "the contracts pinned on this machine", OwnerNetwork+"the node's answer; --rpc-url")
	}
	if err != nil {
		return Fail(err, "a registry that lists all contracts, and code at their addresses", OwnerUser+"--controller, --network").Or("check --controller and --network")
	}
	return Fine("registered, and they answer")
}

func (n *node) newest(context.Context) Finding {
	age := n.Now().Sub(n.head.Time)
	if most := n.Network.MaxHeadAge; most > 0 && age > most {
		return Fail(&chain.StaleError{URL: n.client.URL(), Age: age, Max: most}, fmt.Sprintf("at most %s, unless this machine's clock is fast", duration.Text(most)),
			OwnerUser+"--rpc-url, rpc_urls; or the clock").At(fmt.Sprintf("block %d is %s old", n.head.Number, duration.Text(age.Round(time.Second))))
	}
	return Fine("block %d, %s old", n.head.Number, duration.Text(max(0, age).Round(time.Second)))
}

// maxClockSkew is how far the chain's time may be ahead of the local clock: nodes accept blocks
// some seconds ahead of theirs.
const maxClockSkew = 15 * time.Second

// clock detects a slow clock. A fast one looks like a stale head.
func (n *node) clock(context.Context) Finding {
	ahead := n.head.Time.Sub(n.Now())
	if ahead <= maxClockSkew {
		return Fine("agrees with the chain")
	}
	by := duration.Text(ahead.Round(time.Second))
	if n.Network.OwnClock {
		return Fine("the local network's blocks are %s ahead", by)
	}
	return Fail(hint.With(fmt.Errorf("this machine's clock is %s behind the newest block", by), "set the clock, for example with: timedatectl set-ntp true"),
		fmt.Sprintf("at most %s", duration.Text(maxClockSkew)), OwnerUser+"this machine's clock").At(fmt.Sprintf("%s behind the newest block", by))
}

func (n *node) paused(context.Context) Finding {
	if !n.status.Paused {
		return Fine("no")
	}
	return Fail(&contract.RevertError{Reason: contract.ErrPaused.Error()}, "contracts that are not paused", OwnerNetwork+"the controller's owner").Or("wait until the contracts are resumed")
}

func (n *node) round(context.Context) Finding {
	round := n.status.Round
	if round.Initialized {
		return Fine("%v, initialized", round.Current)
	}
	return Warn(fmt.Sprintf("round %v is not initialized; the last initialized round is %v", round.Current, round.LastInitialized),
		"an initialized current round", OwnerNetwork+"RoundsManager.initializeRound()",
		"wait until an orchestrator initializes it; until then winning tickets are not redeemed")
}

func (n *node) consider(ctx context.Context) error {
	funding := cheapestFunding()
	outlook, err := n.client.Consider(ctx, n.Address, funding.Value.Big(), funding.Data, nil)
	if err == nil {
		n.status, n.quote = outlook.Status, outlook.Quote
	}
	if isMalformed(err) {
		n.status, err = n.client.Status(ctx, n.Address) // only the costs may be unreadable
	}
	return err
}

func cheapestFunding() tx.Call {
	return tx.Call{Value: wei.FromUint64(1), Data: broker.FundDeposit()}
}

// isMalformed reports whether a node's answer could not be decoded, which says nothing about its
// other answers.
func isMalformed(err error) bool {
	var fault *chain.NodeError
	return errors.As(err, &fault) && fault.Fault == nodes.FaultMalformed
}
