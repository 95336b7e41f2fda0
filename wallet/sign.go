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

// SignOptions says whose transaction may be signed here, and what it may call.
type SignOptions struct {
	// From is the account that the user named, and FromSetIn where; zero for whichever the
	// transaction is of.
	From      common.Address
	FromSetIn string

	// Contract is the TicketBroker as the user named it, for a network whose contracts this
	// machine does not know; zero for none.
	Contract common.Address
}

// UnsignedCall is a transaction that was prepared elsewhere and may be signed.
type UnsignedCall struct {
	*broker.Call

	// MaxFee is the most that its gas costs.
	MaxFee wei.Wei

	document *format.Transaction
}

// ErrOtherAccount is returned for a transaction that is not the named account's.
var ErrOtherAccount = errors.New("the transaction is for another account")

// CheckUnsigned holds a transaction that was prepared elsewhere to the network, the account,
// the contract and the limits. It asks no node. It fails with ErrOtherNetwork and
// ErrOtherAccount, with *ContractError, and as policy.Limits.CheckTransaction does.
func CheckUnsigned(ctx context.Context, c Config, document *format.Transaction, o SignOptions) (*UnsignedCall, error) {
	c = c.withDefaults()
	if err := checkNetwork(document, c.Network); err != nil {
		return nil, err
	}
	if from := common.Address(document.From); o.From != (common.Address{}) && o.From != from {
		return nil, hint.With(fmt.Errorf("%w: it is from %v, and %s names %v", ErrOtherAccount, from, o.FromSetIn, o.From),
			"to sign it, name its account: --from %v", from)
	}
	known, ok, err := KnownContracts(ctx, c.Network, c.PinnedIn)
	if err != nil {
		return nil, err
	}
	ticketBroker := o.Contract
	switch {
	case ok && o.Contract == (common.Address{}):
		ticketBroker = known.TicketBroker
	case ok && o.Contract != known.TicketBroker, !ok && o.Contract == (common.Address{}):
		return nil, &ContractError{c.Network, known.TicketBroker, o.Contract}
	}
	call, err := checkTransaction(document, c.Network, ticketBroker, c.Limits)
	if err != nil {
		return nil, err
	}
	fee, err := wei.FromBig(tx.MaxFee(document.Unsigned()))
	return &UnsignedCall{call, fee, document}, err
}

// Says is what the call does, a sentence each.
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
		return []string{"This starts the unlock period of your deposit and reserve: recipients take no tickets meanwhile."}
	case u.Function == "cancelUnlock":
		return []string{sayCancelled}
	}
	return []string{"This withdraws all of your deposit and your reserve to your account."}
}

// Sign signs the transaction with the account's key, which it opens.
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

// ContractError is a TicketBroker that this machine does not know, or knows to be elsewhere
// than the user named it.
type ContractError struct {
	Network      Network
	Known, Named common.Address
}

func (e *ContractError) Error() string {
	if e.Named == (common.Address{}) {
		return fmt.Sprintf("this machine does not know the TicketBroker of %s (chain id %d)", e.Network.Name, e.Network.ChainID)
	}
	return fmt.Sprintf("--contract names %v, and the TicketBroker of %s is %v", e.Named, e.Network.Name, e.Known)
}

// Hint says what to name.
func (e *ContractError) Hint() string {
	if e.Named == (common.Address{}) {
		return "pass --contract ADDRESS; pmctl status shows the address on a machine with a node"
	}
	return "leave --contract out"
}
