package policy

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
)

// ErrInactive is returned for a recipient that is not in the active pool: it refuses every
// payment, and keeps the tickets. It is wrapped by a *Refusal.
var ErrInactive = errors.New("the recipient is not active")

// OtherChainError is ticket params that name a round which the sender's chain does not
// have. It is wrapped by a *Refusal.
type OtherChainError struct {
	// Round is what the params name, with its block hash Named.
	Round int64
	Named common.Hash

	// Recorded is the round's block hash on the sender's chain; zero when there is none.
	Recorded common.Hash

	// Last is the last initialized round of the sender's chain.
	Last *big.Int
}

func (e *OtherChainError) Error() string {
	const other = "the recipient is on another chain than your node"
	if e.Last != nil && big.NewInt(e.Round).Cmp(e.Last) > 0 {
		return fmt.Sprintf("%s, or your node is behind: its ticket params are of round %d, the last initialized round is %v", other, e.Round, e.Last)
	}
	recorded := "none"
	if e.Recorded != (common.Hash{}) {
		recorded = e.Recorded.Hex()
	}
	return fmt.Sprintf("%s: its ticket params name the block hash %v for round %d, your node says %s", other, e.Named, e.Round, recorded)
}

// CheckCounterparty tells by what the chain says about them whether tickets may go to the
// recipient of params: it must be on the sender's chain, and active unless InactiveOK.
// Facts that do not include the recipient are not held against it. It fails with a
// *Refusal that wraps *OtherChainError or ErrInactive.
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
		fmt.Sprintf("%v: %v is not in the pool of round %v; it refuses every payment, and keeps the tickets", ErrInactive, params.Recipient, facts.LastInitializedRound),
		"choose another: pmctl recipient list; or make tickets for it nevertheless with --inactive-ok"}
}

// checkRound fails with *OtherChainError when the params' round has another block hash on
// the chain. Params without a round name nothing to compare.
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
