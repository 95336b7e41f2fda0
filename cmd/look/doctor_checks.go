package look

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/access"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/pay"
)

// local are the checks of what is on this machine: settings and key.
func (d *diagnosis) local() []check.Check {
	return []check.Check{
		{ID: "config", Run: d.checkConfig},
		{ID: "limits", Needs: []string{"config"}, Run: d.checkLimits},
		{ID: "network", Needs: []string{"config"}, Run: d.checkNetwork},
		{ID: "agent", Needs: []string{"network"}, Run: d.checkAgent},
		{ID: "account", Needs: []string{"config"}, Run: d.checkAccount},
		{ID: "key", Needs: []string{"account"}, Run: d.checkKey},
		{ID: "key_mode", Needs: []string{"key"}, Run: d.checkKeyMode},
		{ID: "passphrase", Run: d.checkPassphrase},
		{ID: "key_opens", Needs: []string{"key", "passphrase"}, Run: d.checkKeyOpens},
	}
}

func (d *diagnosis) checkConfig(context.Context) check.Finding {
	settings, err := d.run.Settings()
	if err != nil {
		return failed(err, "TOML that only you can change", check.OwnerUser+"the config file").Or("correct it where the message says")
	}
	switch {
	case settings.User.Path == "":
		return check.Fine("there is no home folder to have one in")
	case !settings.User.Found:
		return check.Fine("%s (absent)", settings.User.Path)
	}
	return check.Fine("%s", settings.User.Path)
}

func (d *diagnosis) checkLimits(context.Context) check.Finding {
	var err error
	if d.Limits, err = d.o.Limits.Limits(d.run.Env); err == nil {
		d.Caps = wallet.Caps(d.Limits)
		d.Accept, err = d.o.Limits.Named()
	}
	if err != nil {
		return failed(err, "limits that tighten those set before", check.OwnerUser+"the config files' [limits] and the flags")
	}
	return check.Fine("they can be read")
}

func (d *diagnosis) checkNetwork(context.Context) check.Finding {
	config, err := cli.ReadingConfig(d.run, &d.o.Network)
	if err == nil && len(config.Nodes) == 0 {
		err = wallet.NoNode(config.Network)
	}
	if err != nil {
		return failed(err, "a network that pmctl knows, and a node of it", check.OwnerUser+"--network, --rpc-url, or network and rpc_urls in the config file").
			Or("pmctl status --help says how to name a network; pmctl-devnet starts a local one")
	}
	if location, err := d.Store(); err == nil {
		config.PinnedIn = location
	}
	d.OnRequest = config.OnPayRequest()
	d.Network, d.Dial, d.Timeout, d.DatabasesDir = config.Network, config.DialKnown, config.Timeout, config.DatabasesDir
	return check.Fine("%s, chain ID %d", config.Network.Name, config.Network.ChainID)
}

// checkAgent looks for the agent that every other command would use.
func (d *diagnosis) checkAgent(ctx context.Context) check.Finding {
	want, err := d.o.Account.Named(d.run.Env)
	if err != nil {
		want = nil // which the check of the account reports
	}
	served, err := d.o.Account.Keys.Agent(ctx, d.run.Env, want, d.Network.ChainID)
	switch {
	case err != nil:
		return failed(err, "an agent that signs for the account on this chain, or none", check.OwnerUser+cli.EnvAgent)
	case served == nil:
		return check.Fine("none is used")
	}
	d.Key = served
	return check.Fine("it signs for %v", served.Address())
}

func (d *diagnosis) fromAgent() bool {
	return d.Key != nil && agent.Of(d.Key) != nil
}

// checkAccount finds the account's address. If none is named, it is that of the only key.
func (d *diagnosis) checkAccount(ctx context.Context) check.Finding {
	named, err := d.o.Account.Named(d.run.Env)
	switch {
	case err != nil:
	case named != nil:
		d.Address = *named
	case d.Key != nil:
		d.Address = d.Key.Address()
	default:
		if d.Key, err = d.o.Account.Keys.Find(ctx, d.run.Env, nil, 0); err == nil {
			d.Address = d.Key.Address()
		}
	}
	if d.asked(err) != nil {
		return failed(err, "one account", check.OwnerUser+"--from, ETH_FROM, or from in the config file").Or("pmctl account list shows the accounts there are")
	}
	return check.Fine("%v", d.Address)
}

func (d *diagnosis) checkKey(ctx context.Context) check.Finding {
	if d.Key == nil {
		found, err := d.o.Account.Keys.Find(ctx, d.run.Env, &d.Address, 0)
		if err != nil {
			return failed(err, "a readable key file in Ethereum's format (version 3)", check.OwnerUser+"--keystore, ETH_KEYSTORE, or keystore in the config file").Or("restore a copy of the file, or import the key: pmctl account import FILE")
		}
		d.Key = found
	}
	switch {
	case d.fromAgent():
		return check.Fine("the agent has it")
	case d.Key.File() == "":
		return check.Fine("it comes from a descriptor")
	}
	return check.Fine("the key file is there and well-formed")
}

func (d *diagnosis) checkKeyMode(context.Context) check.Finding {
	if d.Key.File() == "" {
		return check.Fine("there is no file")
	}
	info, err := os.Stat(d.Key.File())
	if err != nil {
		return failed(err, "", check.OwnerUser+"the key file")
	}
	if others := access.Others(d.Key.File(), info); others != "" {
		err := cli.WithHint(fmt.Errorf("%s can read %s", others, d.Key.File()), "chmod 600 '%s'", d.Key.File())
		return failed(err, "mode 0600", check.OwnerUser+"the key file's mode").At(others + " can read it")
	}
	if !access.Known {
		return check.Fine("not checked: here a file has the permissions of its folder")
	}
	return check.Fine("only you can read it")
}

// checkPassphrase looks where the passphrase would come from. What can be read only once
// is left alone.
func (d *diagnosis) checkPassphrase(ctx context.Context) check.Finding {
	keys := &d.o.Account.Keys
	file := keys.Passphrase.Path(d.run.Env)
	switch {
	case d.fromAgent():
		return check.Fine("the agent needs none")
	case keys.FD.Given:
		return check.Fine("the key comes without one")
	case keys.Passphrase.FD.Given:
		return check.Fine("descriptor %d", keys.Passphrase.FD.N)
	case file == "":
		if err := keys.Available(d.run.Env); err != nil {
			f := failed(err, "a file, a descriptor or a terminal", check.OwnerUser+"--passphrase-file, --passphrase-fd or ETH_PASSWORD")
			f.State, f.Err = check.Warning, nil
			return f
		}
		return check.Fine("you are asked for it")
	}
	if info, err := os.Stat(file); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		return check.Fine("the pipe %s", file)
	}
	passphrase, err := keys.Passphrase.Source(d.run.Env)(ctx, "")
	clear(passphrase)
	if err != nil {
		f := failed(err, "a file that you alone can read (mode 0600)", check.OwnerUser+"--passphrase-file or ETH_PASSWORD").Or("name the file that has it: --passphrase-file FILE")
		if readable, ok := errors.AsType[*keystore.ReadableError](err); ok {
			f.Found, f.Fix = readable.By+" can read "+file, fmt.Sprintf("chmod 600 '%s'", file)
		}
		return f
	}
	return check.Fine("%s", file)
}

// checkKeyOpens asks a person only where a recipient is to be asked, which takes the
// key's signature.
func (d *diagnosis) checkKeyOpens(ctx context.Context) check.Finding {
	if d.fromAgent() {
		return check.Fine("the agent has it open")
	}
	switch {
	case d.o.Account.Keys.Unattended(d.run.Env):
	case !d.run.InTerminal:
		return check.NotMade("needs a passphrase")
	case d.URL == (pay.URL{}):
		return check.NotMade("without a URL there is no prompt for the passphrase")
	}
	if _, err := d.Key.Unlock(ctx); d.asked(err) != nil {
		return failed(err, "the passphrase of this key file", check.OwnerUser+"the passphrase").Or("say another: --passphrase-file FILE")
	}
	return check.Fine("the passphrase opens it")
}
