package look

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/access"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/pay"
)

// local are the checks of what is on this machine: settings and key.
func (p *patient) local() []check.Check {
	return []check.Check{
		{ID: "config", Run: p.checkConfig},
		{ID: "limits", Needs: []string{"config"}, Run: p.checkLimits},
		{ID: "network", Needs: []string{"config"}, Run: p.checkNetwork},
		{ID: "agent", Needs: []string{"network"}, Run: p.checkAgent},
		{ID: "account", Needs: []string{"config"}, Run: p.checkAccount},
		{ID: "key", Needs: []string{"account"}, Run: p.checkKey},
		{ID: "key_mode", Needs: []string{"key"}, Run: p.checkKeyMode},
		{ID: "passphrase", Run: p.checkPassphrase},
		{ID: "key_opens", Needs: []string{"key", "passphrase"}, Run: p.checkKeyOpens},
	}
}

func (p *patient) checkConfig(context.Context) check.Finding {
	settings, err := p.run.Settings()
	if err != nil {
		return failed(err, "TOML that only you can change", check.Yours+"the config file").Or("correct it where the message says")
	}
	if settings.User.Path == "" {
		return check.Fine("there is no home folder to have one in")
	}
	return check.Fine("%s", settings.User.Path)
}

func (p *patient) checkLimits(context.Context) check.Finding {
	var err error
	if p.Limits, err = p.o.Limits.Limits(p.run.Env); err == nil {
		p.Caps = wallet.Caps(p.Limits)
		p.Accept, err = p.o.Limits.Named()
	}
	if err != nil {
		return failed(err, "limits that tighten those set before", check.Yours+"the config files' [limits] and the flags")
	}
	return check.Fine("they can be read")
}

func (p *patient) checkNetwork(context.Context) check.Finding {
	config, err := cli.ReadingConfig(p.run, &p.o.Network)
	if err == nil && len(config.Nodes) == 0 {
		err = wallet.NoNode(config.Network)
	}
	if err != nil {
		return failed(err, "a network that pmctl knows, and a node of it", check.Yours+"--network, --rpc-url, or network and rpc_urls in the config file").
			Or("pmctl status --help says how to name a network; pmctl-devnet starts a local one")
	}
	if location, err := p.Store(); err == nil {
		config.PinnedIn = location
	}
	p.Network, p.Dial, p.Timeout, p.DatabasesDir = config.Network, config.DialKnown, config.Timeout, config.DatabasesDir
	return check.Fine("%s, chain id %d", config.Network.Name, config.Network.ChainID)
}

// checkAgent looks for the agent that every other command would use.
func (p *patient) checkAgent(ctx context.Context) check.Finding {
	var want *common.Address
	if named, err := p.o.Account.Named(p.run.Env); err == nil && named != "" {
		if address, err := p.o.Account.Parse(named); err == nil {
			want = &address
		}
	}
	served, err := p.o.Account.Keys.Agent(ctx, p.run.Env, want, p.Network.ChainID)
	switch {
	case err != nil:
		return failed(err, "an agent that signs for the account on this chain, or none", check.Yours+cli.EnvAgent)
	case served == nil:
		return check.Fine("none is used")
	}
	p.Key = served
	return check.Fine("it signs for %v", served.Address())
}

// fromAgent tells whether an agent has the key.
func (p *patient) fromAgent() bool {
	return p.Key != nil && agent.Of(p.Key) != nil
}

// checkAccount finds the address that acts. Where nobody names it, it is that of the
// only key.
func (p *patient) checkAccount(ctx context.Context) check.Finding {
	named, err := p.o.Account.Named(p.run.Env)
	switch {
	case err != nil:
	case named != "":
		p.Address, err = p.o.Account.Parse(named)
	case p.Key != nil:
		p.Address = p.Key.Address()
	default:
		if p.Key, err = p.o.Account.Keys.Only(ctx, p.run.Env, 0); err == nil {
			p.Address = p.Key.Address()
		}
	}
	if p.asked(err) != nil {
		return failed(err, "one account", check.Yours+"--from, ETH_FROM, or from in the config file").Or("pmctl account list shows the accounts there are")
	}
	return check.Fine("%v", p.Address)
}

func (p *patient) checkKey(ctx context.Context) check.Finding {
	if p.Key == nil {
		found, err := p.o.Account.Keys.Find(ctx, p.run.Env, p.Address, 0)
		if err != nil {
			return failed(err, "a readable key file in Ethereum's format (version 3)", check.Yours+"--keystore, ETH_KEYSTORE, or keystore in the config file").Or("put back a copy of the file, or import the key: pmctl account import FILE")
		}
		p.Key = found
	}
	switch {
	case p.fromAgent():
		return check.Fine("the agent has it")
	case p.Key.File() == "":
		return check.Fine("it comes from a descriptor")
	}
	return check.Fine("the key file is there and well-formed")
}

func (p *patient) checkKeyMode(context.Context) check.Finding {
	if p.Key.File() == "" {
		return check.Fine("there is no file")
	}
	info, err := os.Stat(p.Key.File())
	if err != nil {
		return failed(err, "", check.Yours+"the key file")
	}
	if others := access.Others(p.Key.File(), info); others != "" {
		err := cli.WithHint(fmt.Errorf("%s can read %s", others, p.Key.File()), "chmod 600 '%s'", p.Key.File())
		return failed(err, "mode 0600", check.Yours+"the key file's mode").At(others + " can read it")
	}
	return check.Fine("only you can read it")
}

// checkPassphrase looks where the passphrase would come from. What can be read only once
// is left alone.
func (p *patient) checkPassphrase(ctx context.Context) check.Finding {
	keys := &p.o.Account.Keys
	file := keys.Passphrase.Path(p.run.Env)
	switch {
	case p.fromAgent():
		return check.Fine("the agent needs none")
	case keys.FD.Given:
		return check.Fine("the key comes without one")
	case keys.Passphrase.FD.Given:
		return check.Fine("descriptor %d", keys.Passphrase.FD.N)
	case file == "":
		if err := keys.Available(p.run.Env); err != nil {
			f := failed(err, "a file, a descriptor or a terminal", check.Yours+"--passphrase-file, --passphrase-fd or ETH_PASSWORD")
			f.State, f.Err = check.Warning, nil
			return f
		}
		return check.Fine("you are asked for it")
	}
	if info, err := os.Stat(file); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		return check.Fine("the pipe %s", file)
	}
	passphrase, err := keys.Passphrase.Source(p.run.Env)(ctx, "")
	clear(passphrase)
	if err != nil {
		f := failed(err, "a file that you alone can read (mode 0600)", check.Yours+"--passphrase-file or ETH_PASSWORD").Or("name the file that has it: --passphrase-file FILE")
		var readable *keystore.ReadableError
		if errors.As(err, &readable) {
			f.Found, f.Fix = readable.By+" can read "+file, fmt.Sprintf("chmod 600 '%s'", file)
		}
		return f
	}
	return check.Fine("%s", file)
}

// checkKeyOpens asks a person only where a recipient is to be asked, which takes the
// key's signature.
func (p *patient) checkKeyOpens(ctx context.Context) check.Finding {
	if p.fromAgent() {
		return check.Fine("the agent has it open")
	}
	switch {
	case p.o.Account.Keys.Unattended(p.run.Env):
	case !p.run.InTerminal:
		return check.NotMade("needs a passphrase")
	case p.URL == (pay.URL{}):
		return check.NotMade("nobody is asked for the passphrase without a URL")
	}
	if _, err := p.Key.Unlock(ctx); p.asked(err) != nil {
		return failed(err, "the passphrase of this key file", check.Yours+"the passphrase").Or("say another: --passphrase-file FILE")
	}
	return check.Fine("the passphrase opens it")
}
