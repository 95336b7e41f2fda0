package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ParseAmount reads an amount of a flag; a flag that is not given is 0.
func ParseAmount(flag, text string) (wei.Wei, error) {
	if text == "" {
		return wei.Wei{}, nil
	}
	amount, err := wei.Parse(text)
	if err != nil {
		return wei.Wei{}, Usage(fmt.Errorf("%s: %w", flag, err))
	}
	return amount, nil
}

// parseValue reads the amount of --value, which is more than nothing.
func parseValue(text string) (wei.Wei, error) {
	value, err := ParseAmount("--value", text)
	if err == nil && value.IsZero() {
		err = Usagef("--value must be more than 0, such as 3000gwei or 0.00001eth")
	}
	return value, err
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

// Amount is what the flags ask for.
func (o *ValueOptions) Amount() (pay.Amount, error) {
	value, err := parseValue(o.Value)
	if err != nil {
		return pay.Amount{}, err
	}
	amount, err := o.AmountIfAny()
	amount.Value = value
	return amount, err
}

// AmountIfAny is Amount, but has no value where --value is not given.
func (o *ValueOptions) AmountIfAny() (amount pay.Amount, err error) {
	if o.Value != "" {
		if amount.Value, err = parseValue(o.Value); err != nil {
			return amount, err
		}
	}
	if o.maxOverpay != "" {
		most, err := ParseAmount("--max-overpay", o.maxOverpay)
		amount.MaxOverpay = &most
		return amount, err
	}
	return amount, nil
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
