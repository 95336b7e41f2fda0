// Package settings has the command that shows what is set, and where.
package settings

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/config"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/topup"
)

// configResult is what pmctl config show answers.
type configResult struct {
	Profile  string          `json:"profile,omitempty"`
	Files    []configFile    `json:"files"`
	Settings []configSetting `json:"settings"`
}

// configFile is a config file: the user's, whose path is "" without a home folder, or the system's.
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
	From   string   `json:"source"`
	// text is the value for people.
	text string
}

// NewConfig is pmctl config.
func NewConfig(r *cli.Run) *cobra.Command {
	return cli.Group("config", "Show effective settings and where each comes from",
		newConfigShow(r),
	)
}

func newConfigShow(r *cli.Run) *cobra.Command {
	var o cli.WalletOptions
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show effective settings and where each comes from",
		Long: `Show every setting as a command with the same flags, environment and config
files uses it, and where it comes from. A flag comes first, then the
environment, the profile, and the rest of the config files. Each of these can
make a limit tighter, never looser. Secrets in URLs are not shown. No node is
asked, and no key is opened.`,
		Example: `  pmctl config show
  pmctl config show --profile night --output json`,
		RunE: func(*cobra.Command, []string) error { return showConfig(r, &o) },
	}
	o.Limits.RegisterOffers(cmd)
	o.Limits.RegisterFees(cmd)
	o.Account.RegisterFrom(cmd, "`ADDRESS` of the account to use (default $ETH_FROM, else the only one)")
	o.Account.Keys.Keystore.Register(cmd)
	o.Network.RegisterNetwork(cmd)
	o.Network.RegisterNode(cmd)
	o.Store.Register(cmd)
	return cmd
}

func showConfig(r *cli.Run, o *cli.WalletOptions) error {
	files, err := r.Settings()
	if err != nil {
		return err
	}
	result := configResult{Profile: files.Profile}
	for _, file := range []*config.File{files.User, files.System} {
		result.Files = append(result.Files, configFile{file.Path, file.Found})
	}
	if result.Settings, err = plainSettings(r, o); err != nil {
		return err
	}
	deposit, reserve := cli.Thresholds(files)
	result.Settings = append(result.Settings, thresholdSetting("check.min_deposit", deposit), thresholdSetting("check.min_reserve", reserve))
	limits, err := o.Limits.Limits(r.Env)
	if err != nil {
		return err
	}
	if err := o.Store.CheckBound(r.Env); err != nil {
		return err
	}
	for _, spec := range policy.Table() {
		result.Settings = append(result.Settings, limitSetting(spec, limits))
	}
	rules, places, _ := files.FundAuto() // rules that lack another one are shown, too
	for _, spec := range topup.Table() {
		text, decimal := spec.Value(rules)
		result.Settings = append(result.Settings, configSetting{
			Name: topup.Section + "." + spec.Key, Value: decimal, text: text, From: cmp.Or(places[spec.Key], cli.TheDefault),
		})
	}
	return r.Emit("pmctl.config", result, result.write)
}

// plainSettings are those that may be set anyhow.
func plainSettings(r *cli.Run, o *cli.WalletOptions) ([]configSetting, error) {
	network, err := o.Network.ChooseNetwork(r.Env)
	if errors.Is(err, wallet.ErrNoDevnet) {
		network, err = wallet.Network{Name: wallet.Devnet}, nil // which may be started any time
	}
	if err != nil {
		return nil, err
	}
	_, networkFrom, err := r.Find(o.Network.Network, cli.SettingNetwork())
	if err != nil {
		return nil, err
	}
	if o.Network.Controller != "" {
		networkFrom = "--controller"
	}
	urls, urlsFrom, err := o.Network.Nodes(r.Env, network)
	if err != nil {
		return nil, err
	}
	shown := make([]string, len(urls))
	for i, url := range urls {
		shown[i] = wallet.DisplayURL(url)
	}
	from, fromFrom, err := r.Find(o.Account.From, cli.SettingFrom())
	if err != nil {
		return nil, err
	}
	if from != "" {
		address, err := cli.ParseAddress(fromFrom, from)
		if err != nil {
			return nil, err
		}
		from = address.Hex()
	}
	keys, keysFrom, err := o.Account.Keys.Keystore.Locate(r.Env)
	if err != nil {
		return nil, err
	}
	place, placeFrom, err := o.Store.Locate(r.Env)
	if err != nil {
		return nil, err
	}
	return []configSetting{
		{Name: cli.SettingNetwork().Name, Value: network.Name, From: networkFrom},
		{Name: "rpc_urls", Values: shown, From: urlsFrom},
		{Name: cli.SettingFrom().Name, Value: from, From: fromFrom},
		{Name: cli.SettingKeystore().Name, Value: keys, From: keysFrom},
		{Name: cli.SettingStore().Name, Value: wallet.DisplayStore(place), From: placeFrom},
	}, nil
}

// limitSetting is a limit with where it is set.
func limitSetting(spec policy.Spec, limits policy.Limits) configSetting {
	setting := configSetting{Name: spec.Name(), From: limits.Where(spec.Setting)}
	switch value := spec.Value(limits).(type) {
	case nil:
	case policy.Addresses:
		setting.Values = value.Strings()
	default:
		setting.Value, setting.text = value.Decimal(), value.String()
	}
	return setting
}

func thresholdSetting(name string, t check.Threshold) configSetting {
	if t.Least == nil {
		return configSetting{Name: name, From: t.From}
	}
	return configSetting{Name: name, Value: t.Least.Decimal(), text: t.Least.String(), From: t.From}
}

// write prints each setting, and where it is from unless it is the default.
func (c configResult) write(w *page.Page) {
	names := []string{"the user's file", "the system's file"}
	fields := []page.Field{{"profile", c.Profile}}
	inFiles := make([]string, 0, 2*len(names))
	for i, file := range c.Files {
		if file.Path == "" {
			fields = append(fields, page.Field{names[i], "none (HOME is not set to an absolute path)"})
			continue
		}
		text := file.Path
		if !file.Found {
			text += " (does not exist)"
		}
		fields = append(fields, page.Field{names[i], text})
		inFiles = append(inFiles, file.Path, names[i])
	}
	w.Fields(fields)
	shorten := strings.NewReplacer(inFiles...)
	width := 0
	for _, s := range c.Settings {
		width = max(width, len(s.Name))
	}
	var b strings.Builder
	for _, s := range c.Settings {
		text := cmp.Or(s.text, s.Value, strings.Join(s.Values, ", "), w.Dim("not set"))
		if s.From != cli.TheDefault {
			text += " " + w.Dim("("+shorten.Replace(s.From)+")")
		}
		w.Hang(&b, fmt.Sprintf("%-*s  ", width, s.Name), text, page.FieldIndent)
	}
	w.Print(b.String())
}
