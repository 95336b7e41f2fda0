package cli

import (
	"context"
	"errors"
	"io/fs"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/chain/nodes"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/redeem"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/tx"
)

// The exit codes are pmctl's promise to scripts.
const (
	ExitDone         = 0
	ExitFailed       = 1
	ExitUsage        = 2
	ExitLimit        = 3
	ExitFunds        = 4
	ExitUnacceptable = 5
	ExitLocked       = 6
	ExitUnreachable  = 7
	ExitNotMined     = 8
	ExitCancelled    = 130
)

// outcome is how a command that failed ends.
type outcome struct {
	// Exit is the process's exit code.
	Exit int
	// Code names the kind of failure in JSON.
	Code string
	// Hint says what to run or set next; "" when the message says it all.
	Hint string
}

// Classify maps an error to how the command ends. It is the only such table.
func Classify(err error) outcome {
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
	case as(new(*UsageError), new(*tx.RequestError), new(*store.RequestError)), is(nodes.ErrBadURL, store.ErrLocation):
		out = outcome{ExitUsage, "usage", ""}
	case as(new(*tx.RefusedError)):
		out = outcome{ExitFailed, "refused", ""}
	case as(new(*tx.NotMinedError), new(*tx.UnknownOutcomeError), new(*tx.UncertainError), new(*tx.InProgressError)):
		// Before cancelled: what was sent is not undone by Ctrl-C.
		out = outcome{ExitNotMined, "not_mined", ""}
	case as(new(*wallet.RoundsError)):
		out = outcome{ExitNotMined, "waiting", ""}
	case as(new(*pay.UnknownOutcomeError)), is(pay.ErrInProgress):
		out = outcome{ExitNotMined, "outcome_unknown", ""}
	case as(new(*unreportedError), new(*durable.UnsyncedError)):
		out = outcome{ExitNotMined, "unreported", ""}
	case is(context.Canceled, ErrCancelled):
		out = outcome{ExitCancelled, "cancelled", ""}
	case as(new(*tx.PendingError), new(*tx.UnknownPendingError)):
		out = outcome{ExitLimit, "pending", ""}
	case as(new(*store.UnacknowledgedError), new(*store.RestoredError)):
		out = outcome{ExitLimit, "restored", ""}
	case as(new(*pay.OtherRecipientError)):
		out = outcome{ExitLimit, "recipient_changed", ""}
	case as(new(*wallet.ChangedError)):
		out = outcome{ExitLimit, "changed", ""}
	case as(new(*wallet.UnlockingError)):
		out = outcome{ExitLimit, "unlocking", ""}
	case as(new(*chain.ContractsError)):
		out = outcome{ExitLimit, "contracts_changed", ""}
	case is(policy.ErrLimit, agent.ErrTransaction, agent.ErrFundsAnother, wallet.ErrOtherStore, redeem.ErrTooEarly, redeem.ErrNotWorthGas, tx.ErrPrice):
		out = outcome{ExitLimit, "limit", ""}
	case is(tx.ErrInsufficientFunds, policy.ErrFunds, pm.ErrInsufficientSenderReserve):
		out = outcome{ExitFunds, "insufficient_funds", ""}
	case is(format.ErrSyntax, format.ErrTruncated, format.ErrTooLarge),
		as(new(*format.KindError), new(*format.VersionError)):
		// Before the fields that may be to blame: a file is at fault, not a recipient.
		out = outcome{ExitFailed, "bad_input", ""}
	case is(policy.ErrInactive):
		out = outcome{ExitUnacceptable, "inactive_recipient", ""}
	case as(new(*policy.OtherChainError)):
		out = outcome{ExitUnacceptable, "other_chain", ""}
	case is(policy.ErrUnacceptable, pay.ErrMalformed, pay.ErrNoTicketParams, pay.ErrWorthless, pay.ErrNoRound, agent.ErrRound, pm.ErrTicketParamsExpired, wallet.ErrOtherSender, errDisagrees,
		redeem.ErrNothing, pm.ErrRecipientRand),
		as(new(*wire.ExpiredTokenError), new(*wire.MissingError), new(*wire.FieldError), new(*store.RetiredError)):
		out = outcome{ExitUnacceptable, "unacceptable", ""}
	case is(pay.ErrBusy):
		out = outcome{ExitUnreachable, "busy", ""}
	case as(new(*pay.RefusedError), new(*pay.RefusedBeforeError)):
		out = outcome{ExitFailed, "refused", ""}
	case is(keystore.ErrWrongPassphrase, keystore.ErrEmptyPassphrase, keystore.ErrBadPassphrase, keystore.ErrPassphraseFile,
		keystore.ErrNoAccounts, keystore.ErrNoSuchAccount, keystore.ErrDamaged, keystore.ErrUnsupported, keystore.ErrTooCostly, keystore.ErrTooLittleMemory,
		keystore.ErrAddressMismatch, agent.ErrNoAgent, agent.ErrLocked, agent.ErrMismatch, agent.ErrPeer, errNoPassphrase, errKeyInput, ErrOtherAccount),
		as(new(*keystore.SeveralAccountsError), new(*keystore.AmbiguousError), new(*keystore.UnnamedError)):
		out = outcome{ExitLocked, "locked", ""}
	case wallet.Unreachable(err):
		out = outcome{ExitUnreachable, wallet.CodeUnreachable, ""}
	default:
		out = outcome{ExitFailed, "failed", ""}
	}
	out.Hint = HintFor(err)
	return out
}

// HintFor says what can be done about an error: what the error itself says, or what
// is the command line's to know.
func HintFor(err error) string {
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
