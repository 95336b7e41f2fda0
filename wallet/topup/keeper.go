package topup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pmctl/pmctl/wallet/wei"
)

// Action is a top-up, which is done at most once: World knows it by its number.
type Action struct {
	// Number counts the top-ups of a sender by an account, from 1.
	Number uint64

	Deposit, Reserve wei.Wei

	// At is when it was signed; zero for a new one.
	At    time.Time
	State ActionState
}

// ActionState is what has become of a top-up.
type ActionState string

// The states of a top-up.
const (
	// Pending is a top-up that may still take effect.
	Pending ActionState = "pending"
	// Refused is a top-up that a node refused. It may still take effect, but nothing waits for it.
	Refused ActionState = "refused"
	// Done is a top-up that took effect.
	Done ActionState = "done"
	// Failed is a top-up that moved nothing: it reverted or was cancelled.
	Failed ActionState = "failed"
	// Lost is a top-up that moved nothing, and cannot any more: another of the account's transactions
	// took its place.
	Lost ActionState = "lost"
)

// World is what a Keeper reads and changes.
type World interface {
	// Actions returns all top-ups so far, the lowest number first.
	Actions(ctx context.Context) ([]Action, error)

	// State reads the state, without the sums of earlier top-ups. Of the actions that are Done or Failed
	// it sets those to Pending whose transaction the state does not show: the block was replaced, or the
	// node is behind. Of those that are Refused it sets those to Lost whose place is known to be
	// another's.
	State(ctx context.Context, actions []Action) (State, error)

	// Do does a top-up, or continues one with its number, and returns once it is mined. It fails
	// with ErrNotNeeded if by then the funds lack nothing that it adds to.
	Do(ctx context.Context, a Action, d Decision) error
}

// Keeper tops up one sender from one account.
type Keeper struct {
	Rules Rules
	World World

	// Now is the clock; nil is time.Now.
	Now func() time.Time

	// Other is the sender if another account pays; "" if it pays itself.
	Other string

	// DryRun decides, and does nothing.
	DryRun bool
}

// Look is what a Keeper found and did.
type Look struct {
	State    State
	Decision Decision

	// Action is the top-up that was done or continued; nil if there was none. Resumed reports whether an
	// earlier look began it: what the funds lack beside it another look shows.
	Action  *Action
	Resumed bool
}

// ErrNotNeeded is returned for a top-up that is no longer needed when it is to be signed.
var ErrNotNeeded = errors.New("deposit and reserve have changed: the top-up is no longer needed")

// ShortError is returned if the rules ask for more than may be added.
type ShortError struct {
	Reason   Reason
	Decision Decision
	State    State
	Rules    Rules

	// Other is the Keeper's.
	Other string
}

func (e *ShortError) Error() string {
	var needs []string
	if e.State.Reserve.Cmp(e.Decision.NeedReserve) < 0 {
		needs = append(needs, fmt.Sprintf("the reserve is %s and needs %s", e.State.Reserve, e.Decision.NeedReserve))
	}
	if e.State.Deposit.Cmp(e.Decision.NeedDeposit) < 0 {
		needs = append(needs, fmt.Sprintf("the deposit is %s and needs %s", e.State.Deposit, e.Decision.NeedDeposit))
	}
	why, of, part := "", "", "nothing"
	if e.Other != "" {
		of = " of " + e.Other
	}
	switch e.Reason {
	case Unlocking:
		why = "an unlock" + of + " is in progress"
	case Withdrawn:
		why = "deposit and reserve" + of + " were withdrawn"
	case Balance:
		why = fmt.Sprintf("the paying account has %s and keeps %s of it for gas (gas_kept)", e.State.Balance, e.Rules.GasKept)
	case MaxPerDay:
		why = fmt.Sprintf("top-ups have moved %s today, at most %s is allowed (max_per_day)", e.State.MovedToday, e.Rules.MaxPerDay)
	case MaxTotal:
		why = fmt.Sprintf("top-ups have moved %s in total, at most %s is allowed (max_total)", e.State.MovedTotal, e.Rules.MaxTotal)
	}
	if e.Decision.Adds() {
		part = "only a part"
	}
	return fmt.Sprintf("%s, but pmctl can add %s: %s", strings.Join(needs, "; "), part, why)
}

// Hint says what to do about it.
func (e *ShortError) Hint() string {
	from := ""
	if e.Other != "" {
		from = " --from " + e.Other
	}
	switch e.Reason {
	case Unlocking:
		return "to keep the funds, run pmctl unlock cancel" + from + "; top-ups resume after that"
	case Withdrawn:
		return "to use the account again, run pmctl fund" + from + " once yourself"
	case Balance:
		return "send ether to the paying account"
	case MaxPerDay:
		return fmt.Sprintf("wait for the next UTC day, or raise max_per_day in [%s] of the config file", Section)
	default:
		return fmt.Sprintf("raise max_total in [%s] of the config file", Section)
	}
}

// FailedError is returned after a top-up that failed, until its pause ends.
type FailedError struct {
	Action Action
	Until  time.Time
}

func (e *FailedError) Error() string {
	return fmt.Sprintf("top-up %d reverted or was cancelled; the next one is at %s at the earliest", e.Action.Number, e.Until.UTC().Format(time.RFC3339))
}

// Hint says what to do about it.
func (e *FailedError) Hint() string { return "pmctl tx list --all shows its transaction" }

// pause is how long no top-up follows one that failed.
const pause = time.Hour

// Look looks once. It continues a top-up that is pending, or refused and still needed, or does the
// one that is needed. The numbers of top-ups are read before the state: of two keepers that look at
// once both have the same number, which is done once. It returns *ShortError, *FailedError,
// ErrNotNeeded and the errors of World, with what it found until then.
func (k Keeper) Look(ctx context.Context) (Look, error) {
	if k.Now == nil {
		k.Now = time.Now
	}
	var found Look
	actions, err := k.World.Actions(ctx)
	if err != nil {
		return found, err
	}
	if found.State, err = k.World.State(ctx, actions); err != nil {
		return found, err
	}
	if err := sum(&found.State, actions, k.Now()); err != nil {
		return found, err
	}
	if found.Decision, err = Decide(k.Rules, found.State); err != nil {
		return found, err
	}
	short := func() error {
		if found.Decision.Reason == "" {
			return nil
		}
		return &ShortError{found.Decision.Reason, found.Decision, found.State, k.Rules, k.Other}
	}
	var next Action
	if len(actions) > 0 {
		last := actions[len(actions)-1]
		// One of a time that has yet to come was signed by a wrong clock.
		wait := last.At.Add(pause).Sub(k.Now())
		if last.State == Failed && found.Decision.Adds() && 0 < wait && wait <= 2*pause {
			return found, &FailedError{last, last.At.Add(pause)}
		}
		next.Number = last.Number
		pending := slices.IndexFunc(actions, func(a Action) bool {
			return a.State == Pending || a.State == Refused && found.Decision.with(a).Needed(found.State.Deposit, found.State.Reserve)
		})
		// Nothing is sent to funds on their way out, whenever it was signed.
		if pending >= 0 && found.State.Leaving() == "" {
			return k.resume(ctx, found, actions[pending])
		}
	}
	if !found.Decision.Adds() {
		return found, short()
	}
	next = Action{Number: next.Number + 1, Deposit: found.Decision.AddDeposit, Reserve: found.Decision.AddReserve}
	found.Action = &next
	if k.DryRun {
		return found, short()
	}
	if err := k.World.Do(ctx, next, found.Decision); err != nil {
		return found, err
	}
	next.State = Done
	return found, short()
}

// resume continues a top-up of an earlier look.
func (k Keeper) resume(ctx context.Context, found Look, pending Action) (Look, error) {
	found.Decision = found.Decision.with(pending)
	found.Action, found.Resumed = &pending, true
	if k.DryRun {
		return found, nil
	}
	err := k.World.Do(ctx, pending, found.Decision)
	if err == nil {
		pending.State = Done
	}
	return found, err
}

// sum adds up what top-ups moved, or may still. A top-up counts on its day alone, also on one that
// has yet to come: its clock was wrong.
func sum(s *State, actions []Action, now time.Time) (err error) {
	today := now.UTC().Format(time.DateOnly)
	for _, a := range actions {
		if a.State == Failed || a.State == Lost {
			continue
		}
		moved, err := a.Deposit.Add(a.Reserve)
		if err == nil {
			s.MovedTotal, err = s.MovedTotal.Add(moved)
		}
		if err == nil && a.At.UTC().Format(time.DateOnly) == today {
			s.MovedToday, err = s.MovedToday.Add(moved)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
