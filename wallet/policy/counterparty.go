package policy

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
)

// ErrInactive is returned for a recipient that is not in the active pool. It refuses every payment
// but keeps the tickets. A *Refusal wraps it.
var ErrInactive = errors.New("the recipient is not active")

// ErrOtherChain is returned for ticket params with a round that the sender's chain does not have. A
// *Refusal wraps it.
var ErrOtherChain = errors.New("the recipient is on another chain than your node")

// CheckCounterparty checks whether the recipient of params is on the sender's chain and, unless
// InactiveOK is set, active. It passes if facts do not include the recipient. It returns a *Refusal
// that wraps ErrOtherChain or ErrInactive.
func (l Limits) CheckCounterparty(params *pm.TicketParams, facts pm.Facts) error {
	if err := checkRound(params, facts); err != nil {
		return &Refusal{ErrUnacceptable, err, err.Error(),
			"yours: check --network and --rpc-url; the recipient's: -network and -ethUrl; recipients of your chain: pmctl recipient list"}
	}
	said, known := facts.Counterparties[pm.CounterpartyOf(params)]
	if !known || said.Active || l.InactiveOK {
		return nil
	}
	return &Refusal{ErrUnacceptable, ErrInactive,
		fmt.Sprintf("%v: %v is not in the active pool of round %v; it would refuse the payment and keep the tickets", ErrInactive, params.Recipient, facts.LastInitializedRound),
		"choose another with pmctl recipient list, or pass --inactive-ok"}
}

// checkRound returns ErrOtherChain if the round of params has another block hash on the chain.
// Params without a round pass.
func checkRound(params *pm.TicketParams, facts pm.Facts) error {
	about := pm.CounterpartyOf(params)
	said, known := facts.Counterparties[about]
	if !known || about.Round == 0 {
		return nil
	}
	named, last := params.ExpirationParams.CreationRoundBlockHash, facts.LastInitializedRound
	if said.RoundHash == named {
		return nil
	}
	if last != nil && big.NewInt(about.Round).Cmp(last) > 0 {
		return fmt.Errorf("%w, or your node is behind: its ticket params are from round %d, your node's last initialized round is %v", ErrOtherChain, about.Round, last)
	}
	recorded := "none"
	if common.Hash(said.RoundHash) != (common.Hash{}) {
		recorded = common.Hash(said.RoundHash).Hex()
	}
	return fmt.Errorf("%w: its ticket params have block hash %v for round %d, your node has %s", ErrOtherChain, named, about.Round, recorded)
}
