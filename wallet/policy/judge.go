package policy

import (
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Verdict is how a check of params went.
type Verdict string

// The verdicts.
const (
	Passed     Verdict = "ok"
	Failed     Verdict = "refused"
	NotChecked Verdict = "not_checked"
)

// Finding is one check of params.
type Finding struct {
	// Check names it.
	Check string

	// Verdict is how it went.
	Verdict Verdict

	// Detail is what was found against what is allowed, for people; for NotChecked
	// what the check needs.
	Detail string
}

// Judge makes every check of Check one by one, for somebody to read, where Check ends
// at the first that fails. Without facts (nil) it says which checks need the chain.
// No finding is Failed exactly when Check, or CheckParams without facts, passes.
func (l Limits) Judge(params *pm.TicketParams, facts *pm.Facts, n uint64) []Finding {
	if err := params.CheckFields(); err != nil {
		return []Finding{{"fields", Failed, err.Error()}}
	}
	j := judge{limits: l, params: params, facts: facts, ev: params.EV()}
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

// judge collects findings.
type judge struct {
	limits   Limits
	params   *pm.TicketParams
	facts    *pm.Facts
	ev       *big.Rat
	findings []Finding
}

func (j *judge) add(check string, verdict Verdict, format string, args ...any) {
	j.findings = append(j.findings, Finding{check, verdict, fmt.Sprintf(format, args...)})
}

func (j *judge) ifTrue(check string, passes bool, format string, args ...any) {
	verdict := Failed
	if passes {
		verdict = Passed
	}
	j.add(check, verdict, format, args...)
}

func (j *judge) expiry() {
	const check = "expiry"
	block := j.params.ExpirationBlock
	switch {
	case block == nil || block.Sign() == 0:
		j.add(check, Failed, "no expiration block")
	case j.facts == nil:
		j.add(check, NotChecked, "L1 block %v; needs the chain's last block", block)
	case j.facts.LastSeenL1Block == nil:
		j.add(check, Failed, "L1 block %v, and the chain's last block is not known", block)
	default:
		left := new(big.Int).Sub(block, j.facts.LastSeenL1Block)
		j.ifTrue(check, left.Cmp(big.NewInt(1)) > 0, "L1 block %v, the last one is %v: %v left", block, j.facts.LastSeenL1Block, left)
	}
}

// round tells which round the tickets will belong to. It refuses nothing.
func (j *judge) round() {
	const check = "round"
	switch own := j.params.ExpirationParams; {
	case own != nil && own.CreationRound != 0 && own.CreationRoundBlockHash != [32]byte{}:
		j.add(check, Passed, "%d", own.CreationRound)
	case j.facts == nil:
		j.add(check, NotChecked, "none of their own; needs the chain's last initialized round")
	default:
		j.add(check, Passed, "none of their own; the last initialized round is %v", j.facts.LastInitializedRound)
	}
}

func (j *judge) recipient() {
	if err := j.limits.CheckRecipient(j.params.Recipient); err != nil {
		j.add("recipient", Failed, "%v", err)
		return
	}
	pinned := "any is allowed"
	if j.limits.Recipients != nil {
		pinned = fmt.Sprintf("as allowed (%s)", j.limits.knob(Recipients))
	}
	j.add("recipient", Passed, "%v, %s", j.params.Recipient, pinned)
}

func (j *judge) ticketEV() {
	const check = "ticket EV"
	if j.ev.Sign() == 0 {
		j.add(check, Passed, "0: the recipient charges nothing")
		return
	}
	faceValue := new(big.Rat).SetInt(j.params.FaceValue)
	if j.ev.Cmp(faceValue) >= 0 {
		j.add(check, Failed, "%s, not below the face value of %s", wei.Format(j.ev), wei.Format(faceValue))
		return
	}
	j.upTo(check, j.ev, j.limits.MaxEV, MaxTicketEV)
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
	j.upTo("face value", value, limit, MaxFaceValue)
}

// totalEV also says how many tickets there is room for, which is what people ask next.
func (j *judge) totalEV(n uint64) {
	const check = "total EV"
	total, limit := new(big.Rat).Mul(j.ev, new(big.Rat).SetUint64(n)), j.limits.MaxTotalEV
	if limit == nil || j.ev.Sign() == 0 {
		j.upTo(check, total, limit, MaxTotalEV)
		return
	}
	fit := new(big.Rat).Quo(limit, j.ev)
	j.ifTrue(check, total.Cmp(limit) <= 0, "%s for %s, at most %s (%s): room for %v", wei.Format(total), count(n, "ticket"),
		exceeded(total, limit), j.limits.knob(MaxTotalEV), new(big.Int).Quo(fit.Num(), fit.Denom()))
}

// upTo compares a value with a limit; nil is no limit.
func (j *judge) upTo(check string, value, limit *big.Rat, setting Setting) {
	if limit == nil {
		j.add(check, Passed, "%s, no limit", wei.Format(value))
		return
	}
	j.ifTrue(check, value.Cmp(limit) <= 0, "%s, at most %s (%s)", wei.Format(value), exceeded(value, limit), j.limits.knob(setting))
}

func (j *judge) tickets(n uint64) {
	if err := j.limits.checkCount(j.params, n); err != nil {
		j.add("tickets", Failed, "%v", err)
	}
}

func (j *judge) sender() {
	const check = "sender"
	switch {
	case j.ev.Sign() == 0:
		// Nothing is owed, so nobody asks who would pay.
	case j.facts == nil:
		j.add(check, NotChecked, "needs the sender's deposit, reserve and withdraw round")
	default:
		if err := CheckSender(*j.facts); err != nil {
			j.add(check, Failed, "%v", err)
			return
		}
		j.add(check, Passed, "deposit %s, reserve %s, not about to unlock", amount(j.facts.Sender.Deposit), amount(j.facts.Sender.Reserve.FundsRemaining))
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
		j.add(check, NotChecked, "must hold %s: %s (%s)", amount(needed), count(uint64(multiplier), "face value"), j.limits.knob(DepositMultiplier))
		return
	}
	deposit := j.facts.Sender.Deposit
	j.ifTrue(check, deposit.Cmp(needed) >= 0, "%s, at least %s: %s (%s)", amount(deposit), amount(needed), count(uint64(multiplier), "face value"), j.limits.knob(DepositMultiplier))
}

// count writes a number of things.
func count(n uint64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
