package wallet

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/nodes"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/redeem"
	"github.com/pmctl/pmctl/wallet/remote/client"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/topup"
)

// Class classifies an error, as a stable code for programs. An error of another package joins a
// class by a method Is that is true for it.
type Class string

// The classes.
const (
	// ClassUsage is a usage error.
	ClassUsage Class = "usage"
	// ClassRefused is a refusal by a node or a recipient.
	ClassRefused Class = "refused"
	// ClassNotMined, ClassWaiting, ClassOutcomeUnknown and ClassUnreported are operations that have
	// taken effect, or may have: repeating them could do them twice.
	ClassNotMined       Class = "not_mined"
	ClassWaiting        Class = "waiting"
	ClassOutcomeUnknown Class = "outcome_unknown"
	ClassUnreported     Class = "unreported"
	// ClassCancelled is an operation that the user cancelled.
	ClassCancelled Class = "cancelled"
	// ClassPending, ClassRestored, ClassRecipientChanged, ClassChanged, ClassUnlocking and
	// ClassContractsChanged need the user's consent; ClassLimit needs another limit.
	ClassPending          Class = "pending"
	ClassRestored         Class = "restored"
	ClassRecipientChanged Class = "recipient_changed"
	ClassChanged          Class = "changed"
	ClassUnlocking        Class = "unlocking"
	ClassContractsChanged Class = "contracts_changed"
	ClassLimit            Class = "limit"
	// ClassFunds is a balance, deposit or reserve that is too small.
	ClassFunds Class = "insufficient_funds"
	// ClassBadInput is a document that cannot be read.
	ClassBadInput Class = "bad_input"
	// ClassInactive, ClassOtherChain and ClassUnacceptable are ticket params that cannot be paid
	// on.
	ClassInactive     Class = "inactive_recipient"
	ClassOtherChain   Class = "other_chain"
	ClassUnacceptable Class = "unacceptable"
	// ClassBusy and ClassUnreachable may succeed on a retry.
	ClassBusy        Class = "busy"
	ClassUnreachable Class = "unreachable"
	// ClassLocked is a key that cannot be used.
	ClassLocked Class = "locked"
	// ClassFailed is any other error.
	ClassFailed Class = "failed"
)

// Error makes a Class a target for errors.Is.
func (c Class) Error() string { return string(c) }

// ClassOf returns the class of an error. An agent's refusal has the class that the agent sent.
func ClassOf(err error) Class {
	if remote, ok := errors.AsType[*agent.RemoteError](err); ok {
		return Class(remote.Said.Code)
	}
	if short, ok := errors.AsType[*topup.ShortError](err); ok {
		return classOfShort(short)
	}
	is := func(targets ...error) bool { return isAny(err, targets...) }
	as := func(targets ...any) bool {
		return slices.ContainsFunc(targets, func(target any) bool { return errors.As(err, target) })
	}
	switch {
	case is(ClassUsage, ErrRequestID, client.ErrURL, client.ErrToken, client.ErrPlainToken, nodes.ErrBadURL, call.ErrHeader, call.ErrUpgrade, call.ErrHead, store.ErrLocation, store.ErrClientName, pm.ErrTooManyTickets, tx.ErrRequest, store.ErrRequest, forecast.ErrNeed, ErrContract):
		return ClassUsage
	case as(new(*tx.RefusedError)):
		return ClassRefused
	case is(ErrOtherTopUp, tx.ErrUncertain), as(new(*tx.NotMinedError), new(*tx.UnknownOutcomeError), new(*tx.InProgressError)):
		return ClassNotMined // before cancelled: cancelling the wait does not undo what was sent
	case as(new(*RoundsError)):
		return ClassWaiting
	case is(pay.ErrInProgress, call.ErrSignedBefore), as(new(*pay.UnknownOutcomeError)):
		return ClassOutcomeUnknown
	case is(ClassUnreported, call.ErrAnsweredBefore, tx.ErrUnrecorded, durable.ErrUnsynced):
		return ClassUnreported
	case is(ClassCancelled, context.Canceled):
		return ClassCancelled
	case is(tx.ErrUnknownPending), as(new(*tx.PendingError)):
		return ClassPending
	case as(new(*store.UnacknowledgedError), new(*store.RestoredError)):
		return ClassRestored
	case as(new(*pay.OtherRecipientError)):
		return ClassRecipientChanged
	case is(topup.ErrNotNeeded), as(new(*ChangedError)):
		return ClassChanged
	case is(ErrUnlocking):
		return ClassUnlocking
	case as(new(*chain.ContractsError)):
		return ClassContractsChanged
	case is(policy.ErrLimit, agent.ErrTransaction, agent.ErrFundsAnother, ErrOtherStore, redeem.ErrTooEarly, redeem.ErrNotWorthGas, tx.ErrPrice):
		return ClassLimit
	case is(ClassFunds, tx.ErrInsufficientFunds, policy.ErrFunds, pm.ErrInsufficientSenderReserve):
		return ClassFunds
	case is(format.ErrSyntax, format.ErrTruncated, format.ErrTooLarge, format.ErrKind), as(new(*format.VersionError)):
		return ClassBadInput // before field errors: the file is at fault, not the recipient
	case is(policy.ErrInactive):
		return ClassInactive
	case is(policy.ErrOtherChain):
		return ClassOtherChain
	case is(ClassUnacceptable, check.ErrDisagrees, policy.ErrUnacceptable, pay.ErrMalformed, client.ErrAnswer, pay.ErrNoTicketParams, pay.ErrWorthless, pay.ErrNoRound, agent.ErrRound,
		pm.ErrTicketParamsExpired, ErrOtherSender, redeem.ErrNothing, pm.ErrRecipientRand, store.ErrRetired),
		as(new(*wire.ExpiredTokenError), new(*wire.MissingError), new(*wire.FieldError)):
		return ClassUnacceptable
	case is(pay.ErrBusy):
		return ClassBusy
	case as(new(*client.StatusError)):
		return signerClass(err)
	case as(new(*pay.RefusedError), new(*pay.RefusedBeforeError)):
		return ClassRefused
	case is(ClassLocked, ErrOtherAccount, keystore.ErrWrongPassphrase, keystore.ErrEmptyPassphrase, keystore.ErrBadPassphrase, keystore.ErrPassphraseFile,
		keystore.ErrNoAccounts, keystore.ErrNoSuchAccount, keystore.ErrDamaged, keystore.ErrUnsupported, keystore.ErrTooCostly, keystore.ErrTooLittleMemory,
		keystore.ErrAddressMismatch, keystore.ErrAmbiguous, agent.ErrNoAgent, agent.ErrLocked, agent.ErrMismatch, agent.ErrPeer, agent.ErrSilent),
		as(new(*keystore.SeveralAccountsError), new(*keystore.UnnamedError)):
		return ClassLocked
	case unreachable(err):
		return ClassUnreachable
	}
	return ClassFailed
}

// signerClass returns the class of a remote signer's refusal.
func signerClass(err error) Class {
	refused, _ := errors.AsType[*client.StatusError](err)
	switch {
	case refused.Status == live.StatusPrice:
		return ClassLimit
	case refused.Status == http.StatusUnauthorized, refused.Status == http.StatusForbidden:
		return ClassLocked
	case errors.Is(err, client.ErrBusy):
		return ClassBusy
	}
	return ClassRefused
}

// unreachable reports whether a server did not answer, which affects more than the one request.
func unreachable(err error) bool {
	if remote, ok := errors.AsType[*agent.RemoteError](err); ok {
		return Class(remote.Said.Code) == ClassUnreachable
	}
	return isAny(err, ClassUnreachable, chain.ErrUnreachable, chain.ErrNoDevnet, ErrNoNode, pay.ErrUnreachable, client.ErrUnreachable, pay.ErrNotRecipient, store.ErrUnreachable, context.DeadlineExceeded)
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
