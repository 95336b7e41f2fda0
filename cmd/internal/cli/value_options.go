package cli

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/pay"
)

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
