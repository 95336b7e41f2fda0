package cli

import (
	"errors"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ParseAddress reads an address that the user wrote. When its letters are in
// mixed case they are a checksum, which must be right.
func ParseAddress(name, text string) (common.Address, error) {
	address, err := format.ParseAddress(text)
	return address, badValue(name, err)
}

// badValue is the error about a flag's value. A nil err stays nil.
func badValue(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, format.ErrLooksLikeKey):
		return Usagef("%s: %w; other users can see command lines, so treat that key as compromised", name, err)
	}
	return Usagef("%s: %w", name, err)
}

// ParseRecipient reads a recipient that the user wrote: its URL, or its address.
func ParseRecipient(text string) (pay.Target, error) {
	to, err := pay.ParseTarget(text)
	if errors.Is(err, pay.ErrURL) {
		return to, Usage(err)
	}
	return to, badValue("recipient", err)
}

// ParseRecipients reads recipients as ParseRecipient does.
func ParseRecipients(texts []string) (recipients []pay.Target, err error) {
	for _, text := range texts {
		to, err := ParseRecipient(text)
		if err != nil {
			return nil, err
		}
		recipients = append(recipients, to)
	}
	return recipients, nil
}

// ParseAmount reads an amount of a flag; a flag that is not given is 0.
func ParseAmount(flag, text string) (wei.Wei, error) {
	if text == "" {
		return wei.Wei{}, nil
	}
	amount, err := wei.Parse(text)
	return amount, badValue(flag, err)
}

// ValueOptions say what tickets must be worth.
type ValueOptions struct {
	Value      string
	maxOverpay string
}

// Register adds the flags to a command.
func (o *ValueOptions) Register(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&o.Value, "value", "", usage)
	cmd.Flags().StringVar(&o.maxOverpay, "max-overpay", "", "refuse tickets that exceed --value by more than `AMOUNT` (default one ticket's EV)")
}

// Amount is what the flags ask for, without a value where --value is not given.
func (o *ValueOptions) Amount() (amount pay.Amount, err error) {
	if amount.Value, err = ParseAmount("--value", o.Value); err == nil && o.Value != "" && amount.Value.IsZero() {
		err = Usagef("--value must be more than 0, such as 3000gwei or 0.00001eth")
	}
	if err == nil && o.maxOverpay != "" {
		most, err := ParseAmount("--max-overpay", o.maxOverpay)
		amount.MaxOverpay = &most
		return amount, err
	}
	return amount, err
}

// splitAmount is the error about an amount that the shell has made two words of, such as
// 1 gwei; nil where there is none.
func splitAmount(args []string) error {
	for i := 1; i < len(args); i++ {
		number, unit := args[i-1], args[i]
		if _, value, joined := strings.Cut(number, "="); joined && strings.HasPrefix(number, "--") {
			number = value
		}
		amount, _, _ := strings.Cut(unit, "/") // as in a price
		if !wei.IsUnit(amount) {
			continue
		}
		if _, err := wei.Parse(number + amount); err == nil {
			return WithHint(Usagef("%q and %q are two arguments to the shell, not one amount", number, unit),
				"write %s%s, or quote it: '%s %s'", number, unit, number, unit)
		}
	}
	return nil
}

// ParseDuration reads the value of a flag that must be more than 0.
func ParseDuration(flag, text string) (time.Duration, error) {
	d, err := duration.Parse(text)
	if err == nil && d <= 0 {
		return 0, Usagef("%s %q: it must be more than 0, such as 12h, 30d or 2w", flag, text)
	}
	if err != nil {
		return 0, Usagef("%s %q: it must be a time such as 12h, 30d or 2w", flag, text)
	}
	return d, nil
}

// ParseMoment reads how long ago something was, a day, or a time; "" is the zero time.
func ParseMoment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	ago, err := ParseDuration(flag, text)
	if err != nil {
		return time.Time{}, Usagef("%s %q: it must be how long ago (12h, 30d, 2w), a day (2026-03-01, in UTC) or a time (2026-03-01T12:00:00Z)", flag, text)
	}
	return now.Add(-ago).UTC(), nil
}
