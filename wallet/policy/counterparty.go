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

// OtherChainError is returned for ticket params with a round that the sender's chain does not have.
// A *Refusal wraps it.
type OtherChainError struct {
	// Round is the params' round, Named its block hash there.
	Round int64
	Named common.Hash

	// Recorded is the round's block hash on the sender's chain; zero for none.
	Recorded common.Hash

	Last *big.Int
}

func (e *OtherChainError) Error() string {
	const other = "the recipient is on another chain than your node"
	if e.Last != nil && big.NewInt(e.Round).Cmp(e.Last) > 0 {
		return fmt.Sprintf("%s, or your node is behind: its ticket params are from round %d, your node's last initialized round is %v", other, e.Round, e.Last)
	}
	recorded := "none"
	if e.Recorded != (common.Hash{}) {
		recorded = e.Recorded.Hex()
	}
	return fmt.Sprintf("%s: its ticket params have block hash %v for round %d, your node has %s", other, e.Named, e.Round, recorded)
}

// CheckCounterparty checks whether the recipient of params is on the sender's chain and, unless
// InactiveOK is set, active. It passes if facts do not include the recipient. It returns a *Refusal
// that wraps *OtherChainError or ErrInactive.
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

// checkRound returns *OtherChainError if the round of params has another block hash on the chain.
// Params without a round pass.
func checkRound(params *pm.TicketParams, facts pm.Facts) error {
	about := pm.CounterpartyOf(params)
	said, known := facts.Counterparties[about]
	if !known || about.Round == 0 {
		return nil
	}
	if named := params.ExpirationParams.CreationRoundBlockHash; said.RoundHash != named {
		return &OtherChainError{Round: about.Round, Named: named, Recorded: said.RoundHash, Last: facts.LastInitializedRound}
	}
	return nil
}
