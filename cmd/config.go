package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/config"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// configResult is what pmctl config show answers.
type configResult struct {
	Profile  string          `json:"profile,omitempty"`
	Files    []configFile    `json:"files"`
	Settings []configSetting `json:"settings"`
}

// configFile is a config file: the user's, whose path is "" without a home folder, or
// the system's.
type configFile struct {
	Path  string `json:"path"`
	Found bool   `json:"found"`
}

// configSetting is a setting with where it is from. A setting with neither Value nor
// Values is not set.
type configSetting struct {
	Name   string   `json:"name"`
	Value  string   `json:"value,omitempty"`
	Values []string `json:"values,omitempty"`
	From   string   `json:"from"`
	// text is the value for people.
	text string
}

func newConfig(r *run) *cobra.Command {
	return group("config", "See what holds, and which file, variable or flag says so",
		newConfigShow(r),
	)
}

func newConfigShow(r *run) *cobra.Command {
	var o payerOptions
	var fees feeOptions
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show every setting, and where it comes from",
		Long: `Show every setting as a command with the same flags, environment and config
files would find it, and where it comes from. A flag comes before the
environment, that before the profile, and that before the rest of the files;
limits can only be tightened on that way. What may be secret in a URL is left
out. Nobody is asked, and no key is opened.`,
		Example: `  pmctl config show
  pmctl config show --profile night --output json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return r.showConfig(&o, &fees) },
	}
	o.limits.register(cmd)
	fees.register(cmd)
	cmd.Flags().StringVar(&o.account.from, "from", "", "`ADDRESS` of the account that acts (default $ETH_FROM, else the only one there is)")
	o.account.keys.keystore.register(cmd)
	o.network.registerNetwork(cmd)
	o.network.registerNode(cmd)
	o.store.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

func (r *run) showConfig(o *payerOptions, fees *feeOptions) error {
	files, err := r.settings()
	if err != nil {
		return err
	}
	result := configResult{Profile: files.profile}
	for _, file := range []*config.File{files.user, files.system} {
		result.Files = append(result.Files, configFile{file.Path, file.Found})
	}
	if result.Settings, err = r.plainSettings(o); err != nil {
		return err
	}
	for _, threshold := range []thresholdSetting{minDeposit(), minReserve()} {
		value, from := files.threshold(threshold)
		result.Settings = append(result.Settings, amountSetting("check."+threshold.key, value, from))
	}
	limits, err := o.limits.limits(r.Env)
	if err != nil {
		return err
	}
	if err := o.store.checkBound(r.Env); err != nil {
		return err
	}
	costs, err := fees.limits(r.Env)
	if err != nil {
		return err
	}
	caps := wallet.Caps(costs)
	result.Settings = append(result.Settings, limitSettings(limits)...)
	result.Settings = append(result.Settings,
		amountSetting("limits."+config.Key(policy.MaxGasPrice), caps.Price, caps.PriceSetIn),
		amountSetting("limits."+config.Key(policy.MaxFee), caps.Fee, caps.FeeSetIn))
	for _, s := range policy.Budgets() {
		value, from := limits.Budget(s)
		if value == nil {
			from = theDefault
		}
		result.Settings = append(result.Settings, amountSetting("budget."+config.Key(s), value, from))
	}
	return r.emit("pmctl.config", result, result.write)
}

// plainSettings are those that may be set anyhow.
func (r *run) plainSettings(o *payerOptions) ([]configSetting, error) {
	network, err := o.network.chooseNetwork(r.Env)
	if errors.Is(err, chain.ErrNoDevnet) {
		network, err = chain.Network{Name: chain.Devnet}, nil // which may be started any time
	}
	if err != nil {
		return nil, err
	}
	_, networkFrom, err := r.find(o.network.network, settingNetwork())
	if err != nil {
		return nil, err
	}
	if o.network.controller != "" {
		networkFrom = "--controller"
	}
	urls, urlsFrom, err := o.network.nodes(r.Env, network)
	if err != nil {
		return nil, err
	}
	shown := make([]string, len(urls))
	for i, url := range urls {
		shown[i] = chain.DisplayURL(url)
	}
	from, fromFrom, err := r.find(o.account.from, settingFrom())
	if err != nil {
		return nil, err
	}
	if from != "" {
		address, err := o.account.parse(from)
		if err != nil {
			return nil, err
		}
		from = address.Hex()
	}
	keys, keysFrom, err := o.account.keys.keystore.locate(r.Env)
	if err != nil {
		return nil, err
	}
	place, placeFrom, err := o.store.locate(r.Env)
	if err != nil {
		return nil, err
	}
	return []configSetting{
		{Name: settingNetwork().name, Value: network.Name, From: networkFrom},
		{Name: "rpc_urls", Values: shown, From: urlsFrom},
		{Name: settingFrom().name, Value: from, From: fromFrom},
		{Name: settingKeystore().name, Value: keys, From: keysFrom},
		{Name: settingStore().name, Value: store.Display(place), From: placeFrom},
	}, nil
}

// limitSettings are what recipients may ask for.
func limitSettings(l policy.Limits) []configSetting {
	named := func(s policy.Setting, value configSetting) configSetting {
		value.Name, value.From = "limits."+config.Key(s), l.Where(s)
		return value
	}
	recipients := make([]string, len(l.Recipients))
	for i, recipient := range l.Recipients {
		recipients[i] = recipient.Hex()
	}
	var faceValue configSetting
	if l.MaxFaceValue != nil {
		faceValue = configSetting{Value: l.MaxFaceValue.Decimal(), text: l.MaxFaceValue.String()}
	}
	return []configSetting{
		named(policy.MaxTicketEV, configSetting{Value: l.MaxEV.RatString(), text: wei.Format(l.MaxEV)}),
		named(policy.MaxTotalEV, configSetting{Value: l.MaxTotalEV.RatString(), text: wei.Format(l.MaxTotalEV)}),
		named(policy.MaxFaceValue, faceValue),
		named(policy.DepositMultiplier, configSetting{Value: strconv.Itoa(l.DepositMultiplier)}),
		named(policy.NonceCap, configSetting{Value: fmt.Sprint(l.NonceCap)}),
		named(policy.MaxHeadAge, configSetting{Value: l.MaxHeadAge.String()}),
		named(policy.Recipients, configSetting{Values: recipients}),
	}
}

func amountSetting(name string, value *wei.Wei, from string) configSetting {
	if value == nil {
		return configSetting{Name: name, From: from}
	}
	return configSetting{Name: name, Value: value.Decimal(), text: value.String(), From: from}
}

// write prints each setting, and on the line below where it is from, unless it is the
// default.
func (c configResult) write(w io.Writer) error {
	names := []string{"the user's file", "the system's file"}
	var fields []field
	if c.Profile != "" {
		fields = append(fields, field{"profile", c.Profile})
	}
	inFiles := make([]string, 0, 2*len(names))
	for i, file := range c.Files {
		text := file.Path
		if !file.Found {
			text += " (not there)"
		}
		fields = append(fields, field{names[i], text})
		inFiles = append(inFiles, file.Path, names[i])
	}
	if err := writeFields(w, fields); err != nil {
		return err
	}
	shorten := strings.NewReplacer(inFiles...)
	width := 0
	for _, s := range c.Settings {
		width = max(width, len(s.Name))
	}
	var b strings.Builder
	for _, s := range c.Settings {
		hang(&b, fmt.Sprintf("%-*s  ", width, s.Name), cmp.Or(s.text, s.Value, strings.Join(s.Values, ", "), "not set"), fieldIndent)
		if s.From != theDefault {
			hang(&b, "    from ", shorten.Replace(s.From), 2*fieldIndent)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
