package check

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Params makes each check of limits.Check separately, for display, where Check ends at the first
// failure. Without facts (nil), checks that need the chain are Skipped. No finding is Failed
// exactly if Check, or CheckParams without facts, passes.
func Params(limits policy.Limits, params *pm.TicketParams, facts *pm.Facts, n uint64) []Finding {
	if err := params.CheckFields(); err != nil {
		return []Finding{{ID: "fields", State: Failed, Found: err.Error()}}
	}
	j := judge{limits: limits, params: params, facts: facts, ev: params.EV()}
	j.expiry()
	j.round()
	j.recipient()
	j.counterparty()
	j.ticketEV()
	j.faceValue()
	j.totalEV(n)
	j.tickets(n)
	j.sender()
	j.deposit()
	return j.findings
}

type judge struct {
	limits   policy.Limits
	params   *pm.TicketParams
	facts    *pm.Facts
	ev       *big.Rat
	findings []Finding
}

func (j *judge) add(check string, state State, format string, args ...any) {
	j.findings = append(j.findings, Finding{ID: check, State: state, Found: fmt.Sprintf(format, args...)})
}

func (j *judge) ifTrue(check string, passes bool, format string, args ...any) {
	state := Failed
	if passes {
		state = OK
	}
	j.add(check, state, format, args...)
}

func (j *judge) expiry() {
	const check = "expiry"
	block := j.params.ExpirationBlock
	switch {
	case block == nil || block.Sign() == 0:
		j.add(check, Failed, "no expiration block")
	case j.facts == nil:
		j.add(check, Skipped, "L1 block %v; needs the chain's last block", block)
	case j.facts.LastSeenL1Block == nil:
		j.add(check, Failed, "L1 block %v, but the chain's last block is not known", block)
	default:
		left := new(big.Int).Sub(block, j.facts.LastSeenL1Block)
		valid, when := left.Cmp(big.NewInt(1)) > 0, "left"
		if left.Sign() < 0 {
			when = "ago"
		}
		j.ifTrue(check, valid, "L1 block %v, the last one is %v: %v %s", block, j.facts.LastSeenL1Block, left.Abs(left), when)
	}
}

// round names the round that the tickets will belong to. It refuses nothing.
func (j *judge) round() {
	const check = "round"
	switch own := j.params.ExpirationParams; {
	case own != nil && own.CreationRound != 0 && own.CreationRoundBlockHash != [32]byte{}:
		j.add(check, OK, "%d", own.CreationRound)
	case j.facts == nil:
		j.add(check, Skipped, "none of their own; needs the chain's last initialized round")
	default:
		j.add(check, OK, "none of their own; the last initialized round is %v", j.facts.LastInitializedRound)
	}
}

func (j *judge) recipient() {
	if err := j.limits.CheckRecipient(j.params.Recipient); err != nil {
		j.add("recipient", Failed, "%v", err)
		return
	}
	pinned := "any is allowed"
	if j.limits.Recipients != nil {
		pinned = fmt.Sprintf("as allowed (%s)", j.limits.Knob(policy.Recipients))
	}
	j.add("recipient", OK, "%v, %s", j.params.Recipient, pinned)
}

// counterparty checks that the recipient is on the sender's chain and active.
func (j *judge) counterparty() {
	about := pm.CounterpartyOf(j.params)
	var said pm.CounterpartyFacts
	known := false
	if j.facts != nil {
		said, known = j.facts.Counterparties[about]
	}
	if !known {
		j.add("chain", Skipped, "needs the chain's block hash of the params' round")
		j.add("active", Skipped, "needs the chain's pool of active recipients")
		return
	}
	err := j.limits.CheckCounterparty(j.params, *j.facts)
	switch {
	case errors.Is(err, policy.ErrOtherChain):
		j.add("chain", Failed, "%v", err)
		return // its pool is another chain's
	case about.Round == 0:
		j.add("chain", OK, "the params name no round to compare")
	default:
		j.add("chain", OK, "round %d has the same block hash", about.Round)
	}
	switch {
	case said.Active:
		j.add("active", OK, "yes")
	case err == nil:
		j.add("active", OK, "no, as allowed (--inactive-ok)")
	default:
		j.add("active", Failed, "no: it would refuse every payment and keep the tickets")
	}
}

func (j *judge) ticketEV() {
	const check = "ticket EV"
	if j.ev.Sign() == 0 {
		j.add(check, OK, "0: the recipient charges nothing")
		return
	}
	faceValue := new(big.Rat).SetInt(j.params.FaceValue)
	if j.ev.Cmp(faceValue) >= 0 {
		j.add(check, Failed, "%s, not below the face value of %s", wei.Format(j.ev), wei.Format(faceValue))
		return
	}
	j.upTo(check, j.ev, j.limits.MaxEV, policy.MaxTicketEV)
}

func (j *judge) faceValue() {
	var limit *big.Rat
	if j.limits.MaxFaceValue != nil {
		limit = j.limits.MaxFaceValue.Rat()
	}
	value := new(big.Rat)
	if j.params.FaceValue != nil {
		value.SetInt(j.params.FaceValue)
	}
	j.upTo("face value", value, limit, policy.MaxFaceValue)
}

// totalEV also says how many tickets there is room for.
func (j *judge) totalEV(n uint64) {
	const check = "total EV"
	total, limit := new(big.Rat).Mul(j.ev, new(big.Rat).SetUint64(n)), j.limits.MaxTotalEV
	if limit == nil || j.ev.Sign() == 0 {
		j.upTo(check, total, limit, policy.MaxTotalEV)
		return
	}
	fit := new(big.Rat).Quo(limit, j.ev)
	j.ifTrue(check, total.Cmp(limit) <= 0, "%s for %s, %s (%s): room for %v", wei.Format(total), words.Count(n, "ticket"),
		policy.AtMost(total, limit), j.limits.Knob(policy.MaxTotalEV), new(big.Int).Quo(fit.Num(), fit.Denom()))
}

// upTo compares a value with a limit; nil is no limit.
func (j *judge) upTo(check string, value, limit *big.Rat, setting policy.Setting) {
	if limit == nil {
		j.add(check, OK, "%s, no limit", wei.Format(value))
		return
	}
	j.ifTrue(check, value.Cmp(limit) <= 0, "%s, %s (%s)", wei.Format(value), policy.AtMost(value, limit), j.limits.Knob(setting))
}

func (j *judge) tickets(n uint64) {
	if err := j.limits.CheckCount(j.params, n); err != nil {
		j.add("tickets", Failed, "%v", err)
	}
}

func (j *judge) sender() {
	const check = "sender"
	switch {
	case j.ev.Sign() == 0:
		// Nothing is owed, so no deposit is needed.
	case j.facts == nil:
		j.add(check, Skipped, "needs the sender's deposit, reserve and withdraw round")
	default:
		if err := policy.CheckSender(*j.facts); err != nil {
			j.add(check, Failed, "%v", err)
			return
		}
		j.add(check, OK, "deposit %s, reserve %s, not about to unlock", amount(j.facts.Sender.Deposit), amount(j.facts.Sender.Reserve.FundsRemaining))
	}
}

func (j *judge) deposit() {
	const check = "deposit"
	multiplier := j.limits.DepositMultiplier
	if j.ev.Sign() == 0 || multiplier <= 0 {
		return
	}
	needed := new(big.Int).Mul(j.params.FaceValue, big.NewInt(int64(multiplier)))
	if j.facts == nil || j.facts.Sender == nil || j.facts.Sender.Deposit == nil {
		j.add(check, Skipped, "must cover %s: %s (%s)", amount(needed), words.Count(multiplier, "face value"), j.limits.Knob(policy.DepositMultiplier))
		return
	}
	deposit := j.facts.Sender.Deposit
	j.ifTrue(check, deposit.Cmp(needed) >= 0, "%s, at least %s: %s (%s)", amount(deposit), amount(needed), words.Count(multiplier, "face value"), j.limits.Knob(policy.DepositMultiplier))
}

func amount(v *big.Int) string { return wei.Format(new(big.Rat).SetInt(v)) }
