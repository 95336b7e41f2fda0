package wallet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/topup"
	"github.com/pmctl/pmctl/wallet/wei"
)

// KeepOptions are the parameters of KeepFunded.
type KeepOptions struct {
	// Sender is whose deposit and reserve are kept; zero for the paying account's own.
	Sender common.Address

	Rules topup.Rules

	// DryRun decides, and sends nothing.
	DryRun bool

	// Terms are what the user agrees to about the paying account's other transactions.
	Terms Terms
}

// The outcomes of a TopUp.
const (
	TopUpEnough  = "enough"  // nothing was needed
	TopUpFunded  = "funded"  // a top-up is mined
	TopUpPlanned = "planned" // one would have been sent, but for DryRun
	TopUpCannot  = "cannot"  // Reason says why nothing was added
)

// TopUp is what KeepFunded found and did.
type TopUp struct {
	Network string         `json:"network"`
	ChainID uint64         `json:"chain_id,string"`
	Sender  format.Address `json:"sender"`
	// Payer is the account that pays.
	Payer   format.Address `json:"paying_account"`
	At      time.Time      `json:"time"`
	Outcome string         `json:"outcome"`
	// Reason is a topup.Reason or an error's Class, also if only a part was added. Message says the
	// same for people.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Funds are nil if they could not be read.
	Funds *TopUpFunds `json:"funds,omitempty"`
	// RequestID names the top-up in the journal.
	RequestID   string       `json:"request_id,omitempty"`
	Transaction *Transaction `json:"transaction,omitempty"`
	// Resumed reports whether an earlier run began the top-up: what is needed beside it, the next look
	// shows.
	Resumed bool `json:"resumed,omitempty"`
	// Warnings are what failed beside it.
	Warnings []format.Warning `json:"warnings,omitempty"`
}

// TopUpFunds are the funds before a top-up, what they must come to, and what is added.
type TopUpFunds struct {
	Balance wei.Wei `json:"balance"`
	Deposit wei.Wei `json:"deposit"`
	Reserve wei.Wei `json:"reserve"`
	topup.Decision
	// MovedToday (in UTC) and MovedTotal are what earlier top-ups moved, or may still.
	MovedToday wei.Wei `json:"moved_today"`
	MovedTotal wei.Wei `json:"moved_total"`
}

// ErrOtherTopUp is returned by KeepFunded if another run has just begun a top-up with the same number.
var ErrOtherTopUp = errors.New("another run has just begun a top-up")

// KeepFunded looks once at a sender's deposit and reserve, and adds what the rules ask for. A
// top-up has a request ID of its own, so it is sent once, also by several runs at once, and the next
// run continues one that was killed. An unlock is never cancelled. What it returns tells of the
// error, too: *topup.ShortError, *topup.FailedError, topup.ErrNotNeeded, ErrOtherTopUp, and the errors
// of Do and Runway.
func (w *Wallet) KeepFunded(ctx context.Context, o KeepOptions) (TopUp, error) {
	if err := w.requireAccount(); err != nil {
		return TopUp{}, err
	}
	kept := &keptFunds{Wallet: w, o: o, sender: o.Sender}
	if kept.sender == (common.Address{}) {
		kept.sender = w.Account.Address()
	}
	keeper := topup.Keeper{Rules: o.Rules, World: kept, Now: w.Now, Other: kept.other(), DryRun: o.DryRun}
	found, err := keeper.Look(ctx)
	w.disconnect() // a look may be long after the last one
	return kept.result(found, err), err
}

// keptFunds is the topup.World of a wallet.
type keptFunds struct {
	*Wallet
	o      KeepOptions
	sender common.Address

	intents []*tx.Intent // by the top-ups' order
	// mined are the nonces whose mined transaction the journal has.
	mined map[uint64]bool
	read  bool
	sent  *Transaction
}

func (k *keptFunds) payer() common.Address { return k.Account.Address() }

// other is the sender if it does not pay itself.
func (k *keptFunds) other() string {
	if k.sender == k.payer() {
		return ""
	}
	return k.sender.Hex()
}

// requestPrefix begins the request IDs of a sender's top-ups. Their number follows.
func (k *keptFunds) requestPrefix() string { return "fund auto " + k.sender.Hex() + " " }

func (k *keptFunds) requestID(number uint64) string {
	return k.requestPrefix() + strconv.FormatUint(number, 10)
}

// Actions implements topup.World.
func (k *keptFunds) Actions(ctx context.Context) ([]topup.Action, error) {
	intents, err := k.journal.Intents(ctx, k.payer())
	if err != nil {
		return nil, err
	}
	var actions []topup.Action
	byNumber := make(map[uint64]*tx.Intent)
	k.mined = make(map[uint64]bool)
	for _, intent := range intents {
		if intent.SettledBy != (common.Hash{}) {
			k.mined[intent.Nonce] = true
		}
		text, ok := strings.CutPrefix(intent.RequestID, k.requestPrefix())
		number, err := strconv.ParseUint(text, 10, 64)
		deposit, reserve, isFunding := intent.Label.Funds()
		if !ok || err != nil || !isFunding {
			continue
		}
		byNumber[number] = intent
		actions = append(actions, topup.Action{Number: number, Deposit: deposit, Reserve: reserve, At: intent.CreatedAt, State: actionState(intent.State)})
	}
	slices.SortFunc(actions, func(a, b topup.Action) int { return cmp.Compare(a.Number, b.Number) })
	k.intents = nil
	for _, a := range actions {
		k.intents = append(k.intents, byNumber[a.Number])
	}
	return actions, nil
}

func actionState(s tx.State) topup.ActionState {
	switch s {
	case tx.Mined:
		return topup.Done
	case tx.Reverted, tx.Cancelled:
		return topup.Failed
	case tx.Lost:
		return topup.Lost
	case tx.Refused:
		return topup.Refused
	}
	return topup.Pending
}

// State implements topup.World.
func (k *keptFunds) State(ctx context.Context, actions []topup.Action) (topup.State, error) {
	state, err := k.funds(ctx, actions)
	if err != nil || k.o.Rules.DepositDays == 0 && !k.o.Rules.DepositPromised {
		return state, err
	}
	reader, err := OpenReader(ctx, k.Config, k.sender)
	if err != nil {
		return state, err
	}
	defer reader.Close()
	runway, err := reader.Runway(ctx, HistoryOptions{Since: reader.Now().Add(-forecastPast)})
	if err != nil {
		return state, err
	}
	if days := k.o.Rules.DepositDays; days > 0 {
		lasting, err := runway.DepositFor(days, uint64(max(0, k.Limits.DepositMultiplier)))
		switch {
		case err == nil:
			state.Lasting = &lasting
		case !errors.Is(err, forecast.ErrTooLittle):
			return state, err
		}
	}
	if state.Promised, err = wei.Ceil(runway.Outstanding.FaceValue); err != nil {
		return state, err
	}
	allowed, err := allowancesLeft(ctx, k.store, k.Now())
	if err != nil {
		return state, err
	}
	state.Promised, err = state.Promised.Add(allowed)
	return state, err
}

// funds reads what the chain has of the sender and the paying account.
func (k *keptFunds) funds(ctx context.Context, actions []topup.Action) (topup.State, error) {
	ctx, cancel := k.bound(ctx)
	defer cancel()
	s, err := k.look(ctx, k.sender)
	if err != nil {
		return topup.State{}, err
	}
	if err := s.client.UpToDate(s.status.Head); err != nil {
		return topup.State{}, err
	}
	state := stateOf(s.status)
	if k.payer() != k.sender {
		payer, err := s.client.Status(ctx, k.payer())
		if err != nil {
			return state, err
		}
		state.Balance = payer.Sender.Balance
	}
	k.read = true
	if len(actions) == 0 {
		return state, nil
	}
	// Receipts would not do: nodes forget old ones.
	used, err := s.client.NonceAtBlock(ctx, k.payer(), s.status.Head.Number)
	for i := range actions {
		a, nonce := &actions[i], k.intents[i].Nonce
		switch {
		case (a.State == topup.Done || a.State == topup.Failed) && nonce >= used:
			a.State = topup.Pending
		case a.State == topup.Refused && nonce < used && k.mined[nonce]:
			a.State = topup.Lost
		}
	}
	return state, err
}

func stateOf(status *chain.Status) topup.State {
	return topup.State{
		Balance: status.Sender.Balance, Deposit: status.Sender.Deposit, Reserve: status.Sender.Reserve,
		Lock: status.Lock(), Withdrawn: status.Sender.WithdrawRound.Sign() != 0, PoolSize: status.Round.PoolSize.Uint64(),
	}
}

// Do implements topup.World.
func (k *keptFunds) Do(ctx context.Context, a topup.Action, d topup.Decision) error {
	funding := Funding{Deposit: a.Deposit, Reserve: a.Reserve, Beneficiary: k.sender}
	if k.sender == k.payer() {
		funding.Beneficiary = common.Address{}
	}
	action := k.Funding(funding, false)
	plan := action.plan
	// The last check before anything is signed.
	action.plan = func(ctx context.Context, s situation) (proposal, error) {
		status := s.status
		if k.sender != k.payer() {
			var err error
			if status, err = s.client.Status(ctx, k.sender); err != nil {
				return proposal{}, err
			}
		}
		now := stateOf(status)
		if reason := now.Leaving(); reason != "" {
			return proposal{}, &topup.ShortError{Reason: reason, State: now, Rules: k.o.Rules, Other: k.other(), Decision: topup.Decision{NeedDeposit: d.NeedDeposit, NeedReserve: d.NeedReserve}}
		}
		if !d.Needed(now.Deposit, now.Reserve) {
			return proposal{}, topup.ErrNotNeeded
		}
		return plan(ctx, s)
	}
	sent, err := k.Wallet.Do(ctx, action, SendOptions{RequestID: k.requestID(a.Number), Agreed: true, Terms: k.o.Terms})
	// KeepFunded's caller chooses no terms for one top-up: what is pending must be settled first.
	if pending, ok := errors.AsType[*tx.PendingError](err); ok {
		hash := pending.Queue.Open[0].Newest().Hash()
		return hint.With(err, "wait for it: pmctl tx wait %s, or replace it with pmctl tx bump or cancel; top-ups resume after that", hash)
	}
	switch {
	case errors.Is(err, tx.ErrUnknownPending):
		return hint.With(err, "if another wallet sent them, top-ups resume once they are mined; if there are none, the node is wrong: pass another --rpc-url")
	case errors.Is(err, tx.ErrRequest):
		return fmt.Errorf("%w, number %d", ErrOtherTopUp, a.Number)
	case err == nil:
		k.sent = &sent
	}
	return err
}

// result combines what a look found with its error.
func (k *keptFunds) result(found topup.Look, err error) TopUp {
	t := TopUp{
		Network: k.Network.Name, ChainID: k.Network.ChainID, Sender: format.Address(k.sender), Payer: format.Address(k.payer()),
		At: k.Now().UTC().Truncate(time.Second), Outcome: TopUpEnough, Transaction: k.sent, Resumed: found.Resumed,
	}
	if s, d := found.State, found.Decision; k.read {
		t.Funds = &TopUpFunds{s.Balance, s.Deposit, s.Reserve, d, s.MovedToday, s.MovedTotal}
	}
	if found.Action != nil {
		t.RequestID = k.requestID(found.Action.Number)
	}
	switch {
	case k.sent != nil:
		t.Outcome = TopUpFunded
	case found.Action != nil && k.o.DryRun:
		t.Outcome = TopUpPlanned
	case err != nil:
		t.Outcome = TopUpCannot
	}
	if err != nil {
		t.Reason, t.Message = string(ClassOf(err)), err.Error()
	}
	if short, ok := errors.AsType[*topup.ShortError](err); ok {
		t.Reason = string(short.Reason)
	}
	return t
}

// classOfShort is the class of funds that the rules do not allow to top up.
func classOfShort(e *topup.ShortError) Class {
	switch e.Reason {
	case topup.Unlocking, topup.Withdrawn:
		return ClassUnlocking
	case topup.Balance:
		return ClassFunds
	}
	return ClassLimit
}
