package cmd

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// feeOptions are what transactions may cost.
type feeOptions struct{ maxGasPrice, maxFee string }

func (o *feeOptions) register(cmd *cobra.Command) {
	limits := policy.Default()
	cmd.Flags().StringVar(&o.maxGasPrice, "max-gas-price", "", "highest `AMOUNT` to pay for a unit of gas (default any)")
	cmd.Flags().StringVar(&o.maxFee, "max-fee", "", "highest `AMOUNT` to pay for all gas of the transaction and of what replaces it (default "+limits.MaxFee.String()+")")
}

// limits returns the config files' limits, tightened by the command line's caps.
func (o *feeOptions) limits(env *Env) (policy.Limits, error) {
	settings, err := env.settings()
	if err != nil {
		return policy.Limits{}, err
	}
	limits, err := settings.limits()
	if err != nil {
		return policy.Limits{}, err
	}
	return o.over(limits)
}

// over returns limits with the command line's over them.
func (o *feeOptions) over(limits policy.Limits) (policy.Limits, error) {
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
		amount, err := parseAmount(flag.setting.Flag(), flag.text)
		if err != nil {
			return limits, err
		}
		*flag.into = &amount
	}
	return limits.With(rules)
}
