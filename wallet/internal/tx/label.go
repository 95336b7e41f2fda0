package tx

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Label says what an intent does: a code, followed by arguments name=value in a fixed order.
// The journal compares labels, so an action's code never changes, even if its sentence does.
type Label string

// The labels without arguments.
const (
	LabelUnlock       Label = "unlock"
	LabelCancelUnlock Label = "cancel-unlock"
	LabelWithdraw     Label = "withdraw"
)

// FundLabel adds to a deposit and a reserve, the account's own if beneficiary is zero.
func FundLabel(deposit, reserve wei.Wei, beneficiary common.Address) Label {
	label := Label(fmt.Sprintf("fund deposit=%s reserve=%s", deposit.Decimal(), reserve.Decimal()))
	if beneficiary != (common.Address{}) {
		label += Label(" for=" + beneficiary.Hex())
	}
	return label
}

// WithdrawKeepingLabel withdraws, to fund a part again.
func WithdrawKeepingLabel(deposit, reserve wei.Wei) Label {
	return Label(fmt.Sprintf("withdraw keep-deposit=%s keep-reserve=%s", deposit.Decimal(), reserve.Decimal()))
}

// RedeemLabel redeems winning tickets: their number, and the hash of their hashes.
func RedeemLabel(count int, tickets common.Hash) Label {
	return Label(fmt.Sprintf("redeem count=%d tickets=%s", count, tickets.Hex()))
}

// Funds returns what a FundLabel adds; false for another label.
func (l Label) Funds() (deposit, reserve wei.Wei, ok bool) {
	ok = strings.HasPrefix(string(l), "fund ") &&
		deposit.UnmarshalText([]byte(l.argument("deposit"))) == nil && reserve.UnmarshalText([]byte(l.argument("reserve"))) == nil
	return deposit, reserve, ok
}

// String returns the label as a sentence for people.
func (l Label) String() string {
	name, _, _ := strings.Cut(string(l), " ")
	switch {
	case name == "fund" && l.has("deposit", "reserve"):
		text := "fund " + l.funds("deposit", "reserve")
		if beneficiary := l.argument("for"); beneficiary != "" {
			text += " for " + beneficiary
		}
		return text
	case l == LabelCancelUnlock:
		return "cancel the unlock"
	case name == "withdraw" && l.has("keep-deposit", "keep-reserve"):
		return "withdraw, and fund " + l.funds("keep-deposit", "keep-reserve") + " again"
	case name == "redeem" && l.has("count", "tickets"):
		return fmt.Sprintf("redeem %s (%s)", words.Plural(l.argument("count"), "winning ticket"), l.argument("tickets"))
	}
	return string(l)
}

// argument returns an argument's value, "" if there is none.
func (l Label) argument(name string) string {
	for _, field := range strings.Fields(string(l)) {
		if value, found := strings.CutPrefix(field, name+"="); found {
			return value
		}
	}
	return ""
}

func (l Label) has(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return l.argument(name) == "" })
}

// funds says what is added to the deposit and the reserve, by the arguments' names, without
// what is 0.
func (l Label) funds(deposit, reserve string) string {
	var parts []string
	for i, name := range []string{deposit, reserve} {
		if l.argument(name) != "0" {
			parts = append(parts, l.amount(name)+[]string{" of deposit", " of reserve"}[i])
		}
	}
	return strings.Join(parts, " and ")
}

// amount returns an argument with its unit, or as it is if it is not a number of wei.
func (l Label) amount(name string) string {
	var amount wei.Wei
	text := l.argument(name)
	if amount.UnmarshalText([]byte(text)) != nil {
		return text
	}
	return amount.String()
}

// The sentences that earlier versions stored instead of codes.
const (
	fundSentence     = `^fund ([0-9.]+ \w+) of deposit and ([0-9.]+ \w+) of reserve(?: for (0x[0-9a-fA-F]{40}))?$`
	withdrawSentence = `^withdraw, and put ([0-9.]+ \w+) of deposit and ([0-9.]+ \w+) of reserve back$`
	redeemSentence   = `^redeem ([0-9]+) winning tickets? \((0x[0-9a-f]{64})\)$`
)

// ReadLabel returns the label in a journal or a document: a code, or a sentence of an earlier
// version, which becomes the code of the same action. Anything else stays as it is.
func ReadLabel(text string) Label {
	if text == "unlock cancel" {
		return LabelCancelUnlock
	}
	if strings.Contains(text, "=") || !strings.Contains(text, " ") {
		return Label(text) // a code
	}
	if m := regexp.MustCompile(fundSentence).FindStringSubmatch(text); m != nil {
		if deposit, reserve, ok := amounts(m[1], m[2]); ok {
			return FundLabel(deposit, reserve, common.HexToAddress(m[3]))
		}
	}
	if m := regexp.MustCompile(withdrawSentence).FindStringSubmatch(text); m != nil {
		if deposit, reserve, ok := amounts(m[1], m[2]); ok {
			return WithdrawKeepingLabel(deposit, reserve)
		}
	}
	if m := regexp.MustCompile(redeemSentence).FindStringSubmatch(text); m != nil {
		return Label("redeem count=" + m[1] + " tickets=" + m[2])
	}
	return Label(text)
}

func amounts(first, second string) (a, b wei.Wei, ok bool) {
	a, err := wei.Parse(first)
	if err != nil {
		return a, b, false
	}
	b, err = wei.Parse(second)
	return a, b, err == nil
}
