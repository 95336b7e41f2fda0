package wallet

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// SignOptions are the parameters of CheckUnsigned.
type SignOptions struct {
	// From is the account that the user chose, and FromSetIn the flag or variable that chose it;
	// zero for the transaction's own.
	From      common.Address
	FromSetIn string

	// Contract is the TicketBroker that the user named, for a network whose contracts are not known
	// on this machine; zero for none.
	Contract common.Address
}

// UnsignedCall is a transaction prepared elsewhere that may be signed.
type UnsignedCall struct {
	*broker.Call

	// MaxFee is the most that its gas can cost.
	MaxFee wei.Wei

	document *format.Transaction
}

// ErrOtherAccount is returned for another account's transaction.
var ErrOtherAccount = errors.New("the transaction is for another account")

// CheckUnsigned checks a transaction prepared elsewhere against the network, the account, the
// contract and the limits, without a node. It returns ErrOtherNetwork, ErrOtherAccount,
// ErrContract and the errors of policy.Limits.CheckTransaction.
func CheckUnsigned(ctx context.Context, c Config, document *format.Transaction, o SignOptions) (*UnsignedCall, error) {
	if document == nil {
		return nil, ErrNoDocument
	}
	c = c.withDefaults()
	if err := checkNetwork(document, c.Network); err != nil {
		return nil, err
	}
	if from := common.Address(document.From); o.From != (common.Address{}) && o.From != from {
		return nil, hint.With(fmt.Errorf("%w: it is from %v, %s chooses %v", ErrOtherAccount, from, o.FromSetIn, o.From),
			"to sign it, pass --from %v", from)
	}
	known, ok, err := knownContracts(ctx, c.Network, c.PinnedIn)
	if err != nil {
		return nil, err
	}
	ticketBroker := o.Contract
	switch {
	case ok && o.Contract == (common.Address{}):
		ticketBroker = known.TicketBroker
	case ok && o.Contract != known.TicketBroker, !ok && o.Contract == (common.Address{}):
		return nil, otherContract(c.Network, known.TicketBroker, o.Contract)
	}
	call, err := checkTransaction(document, c.Network, ticketBroker, c.Limits)
	if err != nil {
		return nil, err
	}
	fee, err := wei.FromBig(tx.MaxFee(document.Unsigned()))
	return &UnsignedCall{call, fee, document}, err
}

// Says describes the call's effects, one sentence each.
func (u *UnsignedCall) Says() []string {
	switch {
	case u.Deposit != nil:
		var beneficiary common.Address
		if u.Beneficiary != nil {
			beneficiary = *u.Beneficiary
		}
		return sayFunding(common.Address(u.document.From), wei.Text(u.Deposit), wei.Text(u.Reserve), beneficiary)
	case u.Tickets > 0:
		return []string{fmt.Sprintf("This redeems %s for their recipient. Your account pays the gas.", words.Count(u.Tickets, "ticket"))}
	case u.Function == "unlock":
		return []string{"This starts the unlock period of your deposit and reserve. Recipients stop accepting tickets shortly before it ends."}
	case u.Function == "cancelUnlock":
		return []string{sayCancelled}
	}
	return []string{"This withdraws all of your deposit and your reserve to your account."}
}

// Sign opens the account's key and signs the transaction.
func (u *UnsignedCall) Sign(ctx context.Context, account *signer.Account) (*format.SignedTransaction, error) {
	key, err := account.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	signed, err := key.SignTx(ctx, u.document.Unsigned(), new(big.Int).SetUint64(uint64(u.document.ChainID)))
	if err != nil {
		return nil, err
	}
	return format.NewSigned(*u.document, signed)
}

// ErrContract is returned if the TicketBroker's address is not known, or differs from the one that the
// user named.
var ErrContract = errors.New("not the TicketBroker")

func otherContract(network Network, known, named common.Address) error {
	if named == (common.Address{}) {
		return hint.With(hint.Kind(ErrContract, fmt.Errorf("the TicketBroker of %s (chain ID %d) is not known on this machine", network.Name, network.ChainID)),
			"pass --contract ADDRESS; pmctl status --verbose shows it on a machine with a node")
	}
	return hint.With(hint.Kind(ErrContract, fmt.Errorf("--contract is %v, but the TicketBroker of %s is %v", named, network.Name, known)), "omit --contract")
}
