package cli

import (
	"errors"
	"strconv"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
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

// ExitMeaning says what an exit code means.
type ExitMeaning struct {
	Code    int
	Meaning string
}

// ExitMeanings are the exit codes for people: pmctl help exit-codes, the man pages and the
// README show them.
func ExitMeanings() []ExitMeaning {
	return []ExitMeaning{
		{ExitDone, "done"},
		{ExitFailed, "failed"},
		{ExitUsage, "usage error, also if a confirmation needs a terminal or --yes"},
		{ExitLimit, "refused by one of your limits, or by a check that the error says how to lift, such as with --with-pending"},
		{ExitFunds, "not enough funds"},
		{ExitUnacceptable, "the ticket params have expired, are used up, or break the protocol's rules"},
		{ExitLocked, "no key, or a wrong passphrase"},
		{ExitUnreachable, "the network or a peer cannot be reached"},
		{ExitNotMined, "sent, but not confirmed: mined or accepted is not known yet, or the result could not be printed"},
		{ExitCancelled, "cancelled"},
	}
}

func exitFields() (fields []page.Field) {
	for _, m := range ExitMeanings() {
		fields = append(fields, page.Field{strconv.Itoa(m.Code), m.Meaning})
	}
	return fields
}

// exitCode returns the exit code of a class of errors. It is the only such table.
func exitCode(class wallet.Class) int {
	switch class {
	case wallet.ClassUsage:
		return ExitUsage
	case wallet.ClassNotMined, wallet.ClassWaiting, wallet.ClassOutcomeUnknown, wallet.ClassUnreported:
		return ExitNotMined
	case wallet.ClassCancelled:
		return ExitCancelled
	case wallet.ClassPending, wallet.ClassRestored, wallet.ClassRecipientChanged, wallet.ClassChanged, wallet.ClassUnlocking,
		wallet.ClassContractsChanged, wallet.ClassLimit:
		return ExitLimit
	case wallet.ClassFunds:
		return ExitFunds
	case wallet.ClassInactive, wallet.ClassOtherChain, wallet.ClassUnacceptable:
		return ExitUnacceptable
	case wallet.ClassBusy, wallet.ClassUnreachable:
		return ExitUnreachable
	case wallet.ClassLocked:
		return ExitLocked
	}
	return ExitFailed
}

// Failure is how a command ends that fails with err, as JSON says it.
func Failure(err error) format.Error {
	class := wallet.ClassOf(err)
	e := format.Error{Code: string(class), ExitCode: exitCode(class), Message: err.Error(), Hint: HintFor(err)}
	var remote *agent.RemoteError
	if errors.As(err, &remote) {
		e.ExitCode = remote.Said.ExitCode // by the table of the agent's own version
	}
	return e
}

// WithItsHint is err with what HintFor says, for one that is wrapped in another hint.
func WithItsHint(err error) error {
	if said := HintFor(err); said != "" {
		return WithHint(err, "%s", said)
	}
	return err
}

// HintFor says what can be done about an error: what the error itself says, or what
// is the command line's to know.
func HintFor(err error) string {
	if said, ok := hint.Of(err); ok {
		return said
	}
	switch {
	case errors.Is(err, keystore.ErrNoAccounts):
		return "create one with pmctl account new, import one with pmctl account import, or pass --keystore PATH"
	case errors.As(err, new(*keystore.SeveralAccountsError)), errors.Is(err, keystore.ErrNoSuchAccount):
		return "choose one with --from ADDRESS; pmctl account list shows them"
	case errors.Is(err, keystore.ErrFolder):
		return "name a folder that can be written with ETH_KEYSTORE or --keystore PATH (by default it is below XDG_DATA_HOME, else HOME)"
	case errors.Is(err, agent.ErrNoAgent), errors.Is(err, agent.ErrGone):
		return "start it again with pmctl agent start, and run the command again"
	case errors.Is(err, keystore.ErrWrongPassphrase):
		return "pmctl account show ADDRESS names the key file; a key whose passphrase is lost cannot be used"
	}
	return check.StoreHint(err)
}
