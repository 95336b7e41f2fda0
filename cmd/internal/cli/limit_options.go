package cli

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/wallet/policy"
)

// LimitOptions are flags for the user's limits: those of policy's table that a command
// registers.
type LimitOptions struct {
	texts      map[policy.Setting]*string
	inactiveOK bool
}

// register adds the limits' flags to a command.
func (o *LimitOptions) register(cmd *cobra.Command, limits ...policy.Setting) {
	if o.texts == nil {
		o.texts = make(map[policy.Setting]*string)
	}
	defaults := policy.Default()
	for _, setting := range limits {
		spec := policy.SpecOf(setting)
		text, usage := new(string), spec.Usage
		switch byDefault := spec.Value(defaults); {
		case byDefault != nil:
			usage += " (default " + byDefault.String() + ")"
		case setting != policy.Recipients:
			usage += " (default: no limit)"
		}
		o.texts[setting] = text
		cmd.Flags().StringVar(text, string(setting), "", usage)
		dialect.InGroup(cmd, dialect.LimitFlags, string(setting))
	}
}

// RegisterOffers adds the flags of the limits on what recipients may ask for.
func (o *LimitOptions) RegisterOffers(cmd *cobra.Command) {
	o.register(cmd, policy.Recipients, policy.MaxTicketEV, policy.MaxTotalEV, policy.MaxFaceValue, policy.DepositMultiplier)
}

// RegisterFees adds the flags of the limits on what transactions may cost.
func (o *LimitOptions) RegisterFees(cmd *cobra.Command) {
	o.register(cmd, policy.MaxGasPrice, policy.MaxFee)
}

// RegisterInactive is for commands that make tickets.
func (o *LimitOptions) RegisterInactive(cmd *cobra.Command) { InactiveFlag(cmd, &o.inactiveOK) }

// InactiveFlag has a command take a recipient that is not active.
func InactiveFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "inactive-ok", false, "pay an inactive recipient: it refuses the payment and keeps the tickets")
	dialect.InGroup(cmd, dialect.LimitFlags, "inactive-ok")
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
	return o.over(limits)
}

// over returns limits with the command line's over them.
func (o *LimitOptions) over(limits policy.Limits) (policy.Limits, error) {
	rules := policy.Rules{Where: policy.Setting.Flag, Values: make(policy.Values)}
	for _, spec := range policy.Table() {
		value, err := o.value(spec)
		if err != nil {
			return limits, err
		}
		if value != nil {
			rules.Values[spec.Setting] = value
		}
	}
	return limits.With(rules)
}

// value is what a flag says; nil where it is not given.
func (o *LimitOptions) value(spec policy.Spec) (policy.Value, error) {
	text := o.texts[spec.Setting]
	if text == nil || *text == "" {
		return nil, nil
	}
	value, err := spec.Parse(*text)
	return value, badValue(spec.Flag(), err)
}

// Named is the recipient that the command line names; nil without one.
func (o *LimitOptions) Named() ([]common.Address, error) {
	value, err := o.value(policy.SpecOf(policy.Recipients))
	named, _ := value.(policy.Addresses)
	return named, err
}
