package wallet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

const (
	// alertEvery is how often the signer looks for what its operator is notified of.
	alertEvery = 10 * time.Second

	// maxRefusals bounds what is kept of refused requests from one look to the next. A request
	// beyond it is refused all the same, and noted when it comes again.
	maxRefusals = 100

	// maxRecipients bounds the refused recipients of a day that the operator is notified of for one
	// client, which chooses them.
	maxRecipients = 100

	// lowShare is the part of an allowance in per cent at which the operator is notified.
	lowShare = 80
)

// The types of the events.
const (
	AlertBudget    = "pmctl.signer.budget"
	AlertRunway    = "pmctl.signer.runway"
	AlertUnlock    = "pmctl.signer.unlock"
	AlertRecipient = "pmctl.signer.recipient_refused"
)

// alert is an event for the operator. Nothing is stored twice under one name.
type alert struct {
	name, kind, subject string
	data                any
}

// budgetAlert is a client that has spent a part of an allowance. At 100 per cent the next payment
// exceeds it.
type budgetAlert struct {
	Client     string          `json:"client"`
	Allowance  store.Allowance `json:"allowance"`
	Percent    int             `json:"percent"`
	SpentWei   format.Ceil     `json:"spent_wei"`
	SpentExact format.Fraction `json:"spent_exact"`
	Limit      wei.Wei         `json:"limit"`
}

type runwayAlert struct {
	EmptyAt time.Time `json:"empty_at"`
	Seconds int64     `json:"seconds"`
	Bound   int64     `json:"bound_seconds"`
}

type unlockAlert struct {
	WithdrawRound format.BigNum `json:"withdraw_round"`
}

type recipientAlert struct {
	Client    string         `json:"client,omitempty"`
	Recipient format.Address `json:"recipient"`
	Reason    string         `json:"reason"`
}

// alerts finds what the operator is notified of, and stores it.
type alerts struct {
	signer *RemoteSigner
	events *store.SignerEvents
	log    *slog.Logger

	// below is the runway under which the operator is notified; 0 is never.
	below time.Duration

	// unlock is of the looks alone.
	unlock lastUnlock

	mu       sync.Mutex
	refusals map[string]alert

	// recipients are those that were refused to each client on the day.
	recipients map[string]map[common.Address]bool
	day        string
}

// observe notes what a refusal tells the operator.
func (a *alerts) observe(answered remote.Answered) {
	client := ""
	if answered.Caller.Client != nil {
		client = answered.Caller.Client.Name
	}
	day := answered.At.UTC().Format(time.DateOnly)
	var refused *store.ClientError
	var spent *store.AllowanceError
	switch err := answered.Err; {
	case errors.As(err, &spent):
		a.refuse(budgetOfClient(spent.Client, spent.Allowance, 100, spent.Spent, spent.Limit, day))
	case answered.Recipient != nil && (errors.Is(err, policy.ErrWrongRecipient) || errors.Is(err, store.ErrPinned) || errors.As(err, &refused) && refused.Reason == store.ClientRecipient):
		if !a.notes(client, *answered.Recipient, day) {
			return
		}
		a.refuse(alert{
			fmt.Sprintf("recipient/%s/%s/%s", client, answered.Recipient.Hex(), day), AlertRecipient, client,
			recipientAlert{client, format.Address(*answered.Recipient), err.Error()},
		})
	}
}

// notes reports whether the operator is notified of a recipient that was refused on a day.
func (a *alerts) notes(client string, recipient common.Address, day string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.day != day {
		a.day, a.recipients = day, make(map[string]map[common.Address]bool)
	}
	known := a.recipients[client]
	if known == nil {
		known = make(map[common.Address]bool)
		a.recipients[client] = known
	}
	if len(known) < maxRecipients {
		known[recipient] = true
	}
	return known[recipient]
}

func (a *alerts) refuse(about alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.refusals) < maxRefusals {
		a.refusals[about.name] = about
	}
}

// budgetOfClient is the event about a share of an allowance. The name has the limit: another
// limit is another budget.
func budgetOfClient(client string, allowance store.Allowance, percent int, spent *big.Rat, limit wei.Wei, day string) alert {
	if allowance == store.AllowEVTotal {
		day = ""
	}
	return alert{
		fmt.Sprintf("budget/%s/%s/%d/%s/%s", client, allowance, percent, limit.Decimal(), day), AlertBudget, client,
		budgetAlert{client, allowance, percent, format.NewCeil(spent), format.Fraction{Rat: spent}, limit},
	}
}

// run looks and stores until ctx ends.
func (a *alerts) run(ctx context.Context) {
	repeat(ctx, alertEvery, a.look, func(err error) {
		a.log.ErrorContext(ctx, "cannot store events for the operator; they are looked for again", "error", err)
	})
	_ = a.look(context.WithoutCancel(ctx)) // the refusals of the last seconds
}

func (a *alerts) look(ctx context.Context) error {
	now := a.signer.wallet.Now()
	found, err := a.budgets(ctx, now)
	if err != nil {
		return err
	}
	found = append(found, a.funds(now)...)
	a.mu.Lock()
	for _, refused := range a.refusals {
		found = append(found, refused)
	}
	a.mu.Unlock()
	for _, one := range found {
		if err := a.raise(ctx, now, one); err != nil {
			return err
		}
	}
	return nil
}

// raise stores an event, unless it is stored already.
func (a *alerts) raise(ctx context.Context, now time.Time, about alert) error {
	raised, err := a.events.Raise(ctx, about.name, now, func(position int64) ([]byte, error) {
		return json.Marshal(remote.Event{
			SpecVersion: "1.0", ID: fmt.Sprint("signer-", position), Source: "pmctl/" + a.signer.wallet.store.ID(), Type: about.kind,
			Subject: about.subject, Time: now.UTC(), ContentType: "application/json", Data: about.data,
		})
	})
	if err != nil {
		return err
	}
	if raised {
		a.log.WarnContext(ctx, "event for the operator", "type", about.kind, "subject", about.subject)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.refusals, about.name)
	return nil
}

// budgets are the allowances that are nearly or all spent.
func (a *alerts) budgets(ctx context.Context, now time.Time) (found []alert, err error) {
	accounts, err := a.signer.wallet.store.Clients().Accounts(ctx, now)
	for _, account := range accounts {
		for _, allowance := range SignerAllowances(account) {
			if allowance.Limit == nil || allowance.Spent.Sign() == 0 {
				continue
			}
			for _, percent := range []int{lowShare, 100} {
				bound := new(big.Rat).Mul(allowance.Limit.Rat(), big.NewRat(int64(percent), 100))
				if allowance.Spent.Cmp(bound) >= 0 {
					day := account.Spent.Day.Format(time.DateOnly)
					found = append(found, budgetOfClient(account.Name, allowance.Name, percent, allowance.Spent, *allowance.Limit, day))
				}
			}
		}
	}
	return found, err
}

// funds are what the chain and the forecast say of the account.
func (a *alerts) funds(now time.Time) (found []alert) {
	if said, _, ok := a.signer.cache.Known(); ok && said.Sender != nil {
		if begun, ok := a.unlock.alert(a.account(), num.OrZero(said.Sender.WithdrawRound)); ok {
			found = append(found, begun)
		}
	}
	if runway, err := a.signer.forecasts.last(); err == nil && runway != nil {
		if short, ok := shortRunway(a.account(), runway.Forecast, now, a.below); ok {
			found = append(found, short)
		}
	}
	return found
}

// lastUnlock is the last unlock that was seen. One that begins after it was cancelled may end in the same round.
type lastUnlock struct {
	round     string
	again     int // how many began before it, and end in its round
	cancelled bool
}

// alert is the event about an unlock that ends in a round; there is none for round 0.
func (u *lastUnlock) alert(account common.Address, round *big.Int) (alert, bool) {
	switch {
	case round.Sign() == 0:
		u.cancelled = true
		return alert{}, false
	case round.String() != u.round:
		*u = lastUnlock{round: round.String()}
	case u.cancelled:
		u.cancelled = false
		u.again++
	}
	name := fmt.Sprintf("unlock/%s/%v", account.Hex(), round)
	if u.again > 0 {
		name += fmt.Sprint("/", u.again)
	}
	return alert{name, AlertUnlock, "", unlockAlert{format.NewBigNum(round)}}, true
}

// shortRunway is the event about a deposit that may be empty within a time, one a day.
func shortRunway(account common.Address, forecast *Forecast, now time.Time, below time.Duration) (alert, bool) {
	if forecast == nil || forecast.Low.Sub(now) >= below {
		return alert{}, false
	}
	left := max(0, forecast.Low.Sub(now))
	return alert{
		fmt.Sprintf("runway/%s/%s", account.Hex(), now.UTC().Format(time.DateOnly)), AlertRunway, "",
		runwayAlert{forecast.Low, int64(left / time.Second), int64(below / time.Second)},
	}, true
}

func (a *alerts) account() common.Address { return a.signer.key.Address() }
