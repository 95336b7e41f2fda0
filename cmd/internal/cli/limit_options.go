package cli

import (
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// LimitOptions are what the user lets recipients ask for.
type LimitOptions struct {
	maxTicketEV, maxTotalEV, maxFaceValue string
	depositMultiplier                     string
	recipient                             string
	maxHeadAge                            string
	inactiveOK                            bool
}

// Register adds the flags to a command.
func (o *LimitOptions) Register(cmd *cobra.Command) {
	limits := policy.Default()
	flags := cmd.Flags()
	flags.StringVar(&o.recipient, "recipient", "", "`ADDRESS` that must be paid, and no other")
	flags.StringVar(&o.maxTicketEV, "max-ticket-ev", "", "highest expected value of a ticket, an `AMOUNT` with its unit (default "+wei.Format(limits.MaxEV)+")")
	flags.StringVar(&o.maxTotalEV, "max-total-ev", "", "highest expected value of all tickets made at once, an `AMOUNT` (default "+wei.Format(limits.MaxTotalEV)+")")
	flags.StringVar(&o.maxFaceValue, "max-face-value", "", "highest `AMOUNT` that one ticket may win (default any)")
	flags.StringVar(&o.depositMultiplier, "deposit-multiplier", "", "how many face values, `N`, the deposit must hold (default "+strconv.Itoa(limits.DepositMultiplier)+")")
}

// registerHeadAge is for commands that ask the chain.
func (o *LimitOptions) registerHeadAge(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.maxHeadAge, "max-head-age", "", "how long ago, `TIME`, the agent may have asked the chain; without an agent it is asked now (default "+policy.Default().MaxHeadAge.String()+")")
}

// RegisterInactive is for commands that make tickets.
func (o *LimitOptions) RegisterInactive(cmd *cobra.Command) { InactiveFlag(cmd, &o.inactiveOK) }

// InactiveFlag has a command take a recipient that is not active.
func InactiveFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "inactive-ok", false, "pay a recipient that is not in the active pool: it refuses the payment, and keeps the tickets")
}

// Limits returns the limits that hold: the config files', tightened by the command line.
// What no file sets, the command line sets freely.
func (o *LimitOptions) Limits(env *Env) (policy.Limits, error) {
	settings, err := env.Settings()
	if err != nil {
		return policy.Limits{}, err
	}
	limits, err := settings.Limits()
	if err != nil {
		return policy.Limits{}, err
	}
	limits.InactiveOK = o.inactiveOK
	rules := policy.Rules{Where: policy.Setting.Flag}
	for _, flag := range []struct {
		setting policy.Setting
		text    string
		into    **wei.Wei
	}{
		{policy.MaxTicketEV, o.maxTicketEV, &rules.MaxTicketEV},
		{policy.MaxTotalEV, o.maxTotalEV, &rules.MaxTotalEV},
		{policy.MaxFaceValue, o.maxFaceValue, &rules.MaxFaceValue},
	} {
		if flag.text == "" {
			continue
		}
		amount, err := ParseAmount(flag.setting.Flag(), flag.text)
		if err != nil {
			return limits, err
		}
		*flag.into = &amount
	}
	if o.depositMultiplier != "" {
		n, err := strconv.ParseUint(o.depositMultiplier, 10, 31)
		if err != nil || n == 0 {
			return limits, Usagef("%s: %q is not a whole number from 1", policy.DepositMultiplier.Flag(), o.depositMultiplier)
		}
		multiplier := int(n)
		rules.DepositMultiplier = &multiplier
	}
	if o.maxHeadAge != "" {
		age, err := time.ParseDuration(o.maxHeadAge)
		if err != nil || age <= 0 {
			return limits, Usagef("%s: %q is not a time of more than 0, such as 30s", policy.MaxHeadAge.Flag(), o.maxHeadAge)
		}
		rules.MaxHeadAge = &age
	}
	if rules.Recipients, err = o.Named(); err != nil {
		return limits, err
	}
	return limits.With(rules)
}

// Named is whom the command line names as the recipient; nil when it names nobody.
func (o *LimitOptions) Named() ([]common.Address, error) {
	if o.recipient == "" {
		return nil, nil
	}
	address, err := ParseAddress(policy.Recipients.Flag(), o.recipient)
	if err != nil {
		return nil, err
	}
	return []common.Address{address}, nil
}
