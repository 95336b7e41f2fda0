package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/redeem"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/tx"
)

// The exit codes are pmctl's promise to scripts.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitLimit        = 3
	exitFunds        = 4
	exitUnacceptable = 5
	exitLocked       = 6
	exitUnreachable  = 7
	exitNotMined     = 8
	exitCancelled    = 130
)

// outcome is how a command that failed ends.
type outcome struct {
	// exit is the process's exit code.
	exit int
	// code names the kind of failure in JSON.
	code string
	// hint says what to run or set next; "" when the message says it all.
	hint string
}

// usageError is a command line that cannot be meant.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// withHint says what can be done about err. A nil err stays nil.
func withHint(err error, format string, args ...any) error { return hint.With(err, format, args...) }

// classify maps an error to how the command ends. It is the only such table.
func classify(err error) outcome {
	is := func(targets ...error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
	as := func(targets ...any) bool {
		for _, target := range targets {
			if errors.As(err, target) {
				return true
			}
		}
		return false
	}
	var out outcome
	switch {
	case as(new(*agent.RemoteError)):
		// The agent has classified it, by this same table.
		var remote *agent.RemoteError
		errors.As(err, &remote)
		out = outcome{remote.Said.ExitCode, remote.Said.Code, ""}
	case as(new(*usageError), new(*tx.RequestError), new(*store.RequestError)), is(chain.ErrBadURL, store.ErrLocation):
		out = outcome{exitUsage, "usage", ""}
	case as(new(*tx.RefusedError)):
		out = outcome{exitFailed, "refused", ""}
	case as(new(*tx.NotMinedError), new(*tx.UnknownOutcomeError), new(*tx.UncertainError), new(*tx.InProgressError)):
		// Before cancelled: what was sent is not undone by Ctrl-C.
		out = outcome{exitNotMined, "not_mined", ""}
	case as(new(*wallet.RoundsError)):
		out = outcome{exitNotMined, "waiting", ""}
	case as(new(*pay.UnknownOutcomeError)), is(pay.ErrInProgress):
		out = outcome{exitNotMined, "outcome_unknown", ""}
	case as(new(*unreportedError), new(*durable.UnsyncedError)):
		out = outcome{exitNotMined, "unreported", ""}
	case is(context.Canceled, errCancelled):
		out = outcome{exitCancelled, "cancelled", ""}
	case as(new(*tx.PendingError), new(*tx.UnknownPendingError)):
		out = outcome{exitLimit, "pending", ""}
	case as(new(*store.UnacknowledgedError), new(*store.RestoredError)):
		out = outcome{exitLimit, "restored", ""}
	case as(new(*pay.OtherRecipientError)):
		out = outcome{exitLimit, "recipient_changed", ""}
	case as(new(*wallet.ChangedError)):
		out = outcome{exitLimit, "changed", ""}
	case as(new(*wallet.UnlockingError)):
		out = outcome{exitLimit, "unlocking", ""}
	case as(new(*chain.ContractsError)):
		out = outcome{exitLimit, "contracts_changed", ""}
	case is(policy.ErrLimit, agent.ErrTransaction, agent.ErrFundsAnother, wallet.ErrOtherStore, redeem.ErrTooEarly, redeem.ErrNotWorthGas, tx.ErrPrice):
		out = outcome{exitLimit, "limit", ""}
	case is(tx.ErrInsufficientFunds, policy.ErrFunds, pm.ErrInsufficientSenderReserve):
		out = outcome{exitFunds, "insufficient_funds", ""}
	case is(format.ErrSyntax, format.ErrTruncated, format.ErrTooLarge),
		as(new(*format.KindError), new(*format.VersionError)):
		// Before the fields that may be to blame: a file is at fault, not a recipient.
		out = outcome{exitFailed, "bad_input", ""}
	case is(policy.ErrInactive):
		out = outcome{exitUnacceptable, "inactive_recipient", ""}
	case as(new(*policy.OtherChainError)):
		out = outcome{exitUnacceptable, "other_chain", ""}
	case is(policy.ErrUnacceptable, pay.ErrMalformed, pay.ErrNoTicketParams, pay.ErrWorthless, pay.ErrNoRound, agent.ErrRound, pm.ErrTicketParamsExpired, wallet.ErrOtherSender, errDisagrees,
		redeem.ErrNothing, pm.ErrRecipientRand),
		as(new(*wire.ExpiredTokenError), new(*wire.MissingError), new(*wire.FieldError), new(*store.RetiredError)):
		out = outcome{exitUnacceptable, "unacceptable", ""}
	case is(pay.ErrBusy):
		out = outcome{exitUnreachable, "busy", ""}
	case as(new(*pay.RefusedError), new(*pay.RefusedBeforeError)):
		out = outcome{exitFailed, "refused", ""}
	case is(keystore.ErrWrongPassphrase, keystore.ErrEmptyPassphrase, keystore.ErrBadPassphrase, keystore.ErrPassphraseFile,
		keystore.ErrNoAccounts, keystore.ErrNoSuchAccount, keystore.ErrDamaged, keystore.ErrUnsupported, keystore.ErrTooCostly, keystore.ErrTooLittleMemory,
		keystore.ErrAddressMismatch, agent.ErrNoAgent, agent.ErrLocked, agent.ErrMismatch, agent.ErrPeer, errNoPassphrase, errKeyInput, errOtherAccount),
		as(new(*keystore.SeveralAccountsError), new(*keystore.AmbiguousError), new(*keystore.UnnamedError)):
		out = outcome{exitLocked, "locked", ""}
	case wallet.Unreachable(err):
		out = outcome{exitUnreachable, wallet.CodeUnreachable, ""}
	default:
		out = outcome{exitFailed, "failed", ""}
	}
	out.hint = hintFor(err)
	return out
}

// hintFor says what can be done about an error: what the error itself says, or what
// is the command line's to know.
func hintFor(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	var several *keystore.SeveralAccountsError
	switch {
	case errors.Is(err, keystore.ErrNoAccounts):
		return "make one with pmctl account new, import one with pmctl account import, or say --keystore PATH"
	case errors.As(err, &several), errors.Is(err, keystore.ErrNoSuchAccount):
		return "choose one with --from ADDRESS; pmctl account list shows them"
	case errors.Is(err, store.ErrAccess) && errors.As(err, new(*fs.PathError)):
		return "name a place that can be written with PMCTL_STORE or --store FILE (by default it is below XDG_STATE_HOME, else HOME)"
	case errors.Is(err, keystore.ErrFolder):
		return "name a folder that can be written with ETH_KEYSTORE or --keystore PATH (by default it is below XDG_DATA_HOME, else HOME)"
	case errors.Is(err, keystore.ErrWrongPassphrase):
		return "pmctl account show ADDRESS names the key file; a key whose passphrase is lost cannot be used"
	}
	return ""
}

// interruptedError is how a command ended that was told to by a signal.
type interruptedError struct{ err error }

func (e *interruptedError) Error() string {
	switch {
	case errors.Is(e.err, errCancelled):
		return e.err.Error()
	case e.err.Error() == context.Canceled.Error():
		return "interrupted"
	}
	return "interrupted: " + e.err.Error()
}
func (e *interruptedError) Unwrap() []error { return []error{context.Canceled, e.err} }

// errCancelled is returned when the user said no, or pressed Ctrl-C at a prompt.
var errCancelled = errors.New("cancelled: nothing was done")

// errDisagrees is returned when the registry and a recipient's answer contradict each
// other.
var errDisagrees = errors.New("the service registry and the recipient do not agree")

// errOtherAccount is returned for a transaction that is not the named account's.
var errOtherAccount = errors.New("the transaction is for another account")
