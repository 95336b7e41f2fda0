package cmd

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// limitOptions are what the user lets recipients ask for.
type limitOptions struct {
	maxTicketEV, maxTotalEV, maxFaceValue string
	depositMultiplier                     string
	recipient                             string
}

func (o *limitOptions) register(cmd *cobra.Command) {
	limits := policy.Default()
	flags := cmd.Flags()
	flags.StringVar(&o.recipient, "recipient", "", "`ADDRESS` that must be paid, and no other")
	flags.StringVar(&o.maxTicketEV, "max-ticket-ev", "", "highest expected value of a ticket, an `AMOUNT` with its unit (default "+wei.Format(limits.MaxEV)+")")
	flags.StringVar(&o.maxTotalEV, "max-total-ev", "", "highest expected value of all tickets made at once, an `AMOUNT` (default "+wei.Format(limits.MaxTotalEV)+")")
	flags.StringVar(&o.maxFaceValue, "max-face-value", "", "highest `AMOUNT` that one ticket may win (default any)")
	flags.StringVar(&o.depositMultiplier, "deposit-multiplier", "", "how many face values, `N`, the deposit must hold (default "+strconv.Itoa(limits.DepositMultiplier)+")")
}

// limits returns what the flags say, over the defaults.
func (o *limitOptions) limits() (policy.Limits, error) {
	limits := policy.Default()
	for _, flag := range []struct {
		name, text string
		set        func(wei.Wei)
	}{
		{policy.FlagMaxTicketEV, o.maxTicketEV, func(w wei.Wei) { limits.MaxEV = w.Rat() }},
		{policy.FlagMaxTotalEV, o.maxTotalEV, func(w wei.Wei) { limits.MaxTotalEV = w.Rat() }},
		{policy.FlagMaxFaceValue, o.maxFaceValue, func(w wei.Wei) { limits.MaxFaceValue = &w }},
	} {
		if flag.text == "" {
			continue
		}
		amount, err := parseAmount(flag.name, flag.text)
		if err != nil {
			return limits, err
		}
		flag.set(amount)
	}
	if o.depositMultiplier != "" {
		n, err := strconv.ParseUint(o.depositMultiplier, 10, 31)
		if err != nil || n == 0 {
			return limits, usagef("%s: %q is not a whole number from 1", policy.FlagDepositMultiplier, o.depositMultiplier)
		}
		limits.DepositMultiplier = int(n)
	}
	if o.recipient != "" {
		address, err := parseAddress(policy.FlagRecipient, o.recipient)
		if err != nil {
			return limits, err
		}
		limits.Recipient = address
	}
	return limits, nil
}
