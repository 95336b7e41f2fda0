package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/jsonfilter"
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

// Usage is err as the command line's fault.
func Usage(err error) error { return hint.Kind(wallet.ClassUsage, err) }

// Usagef is a new error that is the command line's fault.
func Usagef(format string, args ...any) error {
	return Usage(fmt.Errorf(format, args...))
}

// WithHint says what can be done about err. A nil err stays nil.
func WithHint(err error, format string, args ...any) error { return hint.With(err, format, args...) }

// endedBySignal is the error of a command that a signal ended. The cause names the signal, which
// says no more.
func endedBySignal(err, cause error) error {
	switch text := err.Error(); {
	case errors.Is(err, ErrCancelled):
	case text == context.Canceled.Error(), text == cause.Error():
		err = &endedError{err, text, "interrupted"}
	default:
		err = fmt.Errorf("interrupted: %w", err)
	}
	return hint.Kind(context.Canceled, err)
}

// endedError is an error that ends with Go's words for a context that has ended, and is to end with
// pmctl's.
type endedError struct {
	err         error
	last, words string
}

func (e *endedError) Error() string { return strings.TrimSuffix(e.err.Error(), e.last) + e.words }
func (e *endedError) Unwrap() error { return e.err }

// timedOut is err with the flag that gives it more time, if it says no more than that the time is up.
func timedOut(err error) error {
	last := context.DeadlineExceeded.Error()
	if err == nil || !strings.HasSuffix(err.Error(), last) {
		return err
	}
	return WithHint(&endedError{err, last, "no result within --timeout"}, "pass a longer --timeout; --verbose shows each request")
}

// ErrCancelled is returned when the user said no, or pressed Ctrl-C at a prompt.
var ErrCancelled = hint.Kind(wallet.ClassCancelled, errors.New("cancelled: nothing was done"))

// errKeyInput is returned when what a descriptor gives is no key.
var errKeyInput = hint.Kind(wallet.ClassLocked, errors.New("no key to sign with"))

// Unreported is the error of a result that could not be printed as the user wanted, of something
// that is done. A nil err stays nil.
func Unreported(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*jsonfilter.Error)):
		err = fmt.Errorf("%s, but %w", what, err)
	default:
		err = fmt.Errorf("%s, but its result cannot be written: %w", what, err)
	}
	return WithHint(hint.Kind(wallet.ClassUnreported, err), "do not run the command again for its output: it has taken effect")
}

// errOutClosed is returned before anything is done when its result would be lost.
var errOutClosed = WithHint(errors.New("stdout is closed: there is nowhere to write the result to"),
	"redirect stdout to a file, or to /dev/null if you do not need the output")

// WithSource says which file, URL or "-" for stdin bad input came from. A nil err stays nil.
func WithSource(source string, err error) error {
	switch {
	case err == nil:
		return nil
	case source == "-":
		source = "stdin"
	}
	return fmt.Errorf("%s: %w", source, err)
}
