package cli

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// FeeOptions are what transactions may cost.
type FeeOptions struct{ maxGasPrice, maxFee string }

// Register adds the flags to a command.
func (o *FeeOptions) Register(cmd *cobra.Command) {
	limits := policy.Default()
	cmd.Flags().StringVar(&o.maxGasPrice, "max-gas-price", "", "highest `AMOUNT` to pay for a unit of gas (default any)")
	cmd.Flags().StringVar(&o.maxFee, "max-fee", "", "highest `AMOUNT` to pay for all gas of the transaction and of what replaces it (default "+limits.MaxFee.String()+")")
}

// Limits returns the config files' limits, tightened by the command line's caps.
func (o *FeeOptions) Limits(env *Env) (policy.Limits, error) {
	settings, err := env.Settings()
	if err != nil {
		return policy.Limits{}, err
	}
	limits, err := settings.Limits()
	if err != nil {
		return policy.Limits{}, err
	}
	return o.Over(limits)
}

// Over returns limits with the command line's over them.
func (o *FeeOptions) Over(limits policy.Limits) (policy.Limits, error) {
	rules := policy.Rules{Where: policy.Setting.Flag}
	for _, flag := range []struct {
		setting policy.Setting
		text    string
		into    **wei.Wei
	}{
		{policy.MaxGasPrice, o.maxGasPrice, &rules.MaxGasPrice},
		{policy.MaxFee, o.maxFee, &rules.MaxFee},
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
	return limits.With(rules)
}
