package look

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/access"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// wallet are the checks of what is on this machine: settings and key.
func (p *patient) wallet() []check.Check {
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
	if p.limits, err = p.o.Limits.Limits(p.run.Env); err != nil {
		return failed(err, "limits that tighten those set before", check.Yours+"the config files' [limits] and the flags")
	}
	return check.Fine("they can be read")
}

func (p *patient) checkNetwork(context.Context) check.Finding {
	chosen, urls, err := p.o.Network.Choose(p.run.Env)
	if err == nil && len(urls) == 0 {
		err = wallet.NoNode(chosen)
	}
	if err != nil {
		return failed(err, "a network that pmctl knows, and a node of it", check.Yours+"--network, --rpc-url, or network and rpc_urls in the config file").Or("pmctl status --help says how to name a network; pmctl-devnet starts a local one")
	}
	p.network = chosen
	return check.Fine("%s, chain id %d", chosen.Name, chosen.ChainID)
}

// checkAgent looks for the agent that every other command would use.
func (p *patient) checkAgent(ctx context.Context) check.Finding {
	var want *common.Address
	if named, err := p.o.Account.Named(p.run.Env); err == nil && named != "" {
		if address, err := p.o.Account.Parse(named); err == nil {
			want = &address
		}
	}
	served, err := p.o.Account.Keys.Agent(ctx, p.run.Env, want, p.network.ChainID)
	switch {
	case err != nil:
		return failed(err, "an agent that signs for the account on this chain, or none", check.Yours+cli.EnvAgent)
	case served == nil:
		return check.Fine("none is used")
	}
	p.account = served
	return check.Fine("it signs for %v", served.Address())
}

// fromAgent tells whether an agent has the key.
func (p *patient) fromAgent() bool {
	return p.account != nil && agent.Of(p.account) != nil
}

// checkAccount finds the address that acts. Where nobody names it, it is that of the
// only key.
func (p *patient) checkAccount(ctx context.Context) check.Finding {
	named, err := p.o.Account.Named(p.run.Env)
	switch {
	case err != nil:
	case named != "":
		p.address, err = p.o.Account.Parse(named)
	case p.account != nil:
		p.address = p.account.Address()
	default:
		if p.account, err = p.o.Account.Keys.Only(ctx, p.run.Env, 0); err == nil {
			p.address = p.account.Address()
		}
	}
	if p.asked(err) != nil {
		return failed(err, "one account", check.Yours+"--from, ETH_FROM, or from in the config file").Or("pmctl account list shows the accounts there are")
	}
	return check.Fine("%v", p.address)
}

func (p *patient) checkKey(ctx context.Context) check.Finding {
	if p.account == nil {
		found, err := p.o.Account.Keys.Find(ctx, p.run.Env, p.address, 0)
		if err != nil {
			return failed(err, "a readable key file in Ethereum's format (version 3)", check.Yours+"--keystore, ETH_KEYSTORE, or keystore in the config file").Or("put back a copy of the file, or import the key: pmctl account import FILE")
		}
		p.account = found
	}
	switch {
	case p.fromAgent():
		return check.Fine("the agent has it")
	case p.account.File() == "":
		return check.Fine("it comes from a descriptor")
	}
	return check.Fine("the key file is there and well-formed")
}

func (p *patient) checkKeyMode(context.Context) check.Finding {
	if p.account.File() == "" {
		return check.Fine("there is no file")
	}
	info, err := os.Stat(p.account.File())
	if err != nil {
		return failed(err, "", check.Yours+"the key file")
	}
	if others := access.Others(p.account.File(), info); others != "" {
		err := cli.WithHint(fmt.Errorf("%s can read %s", others, p.account.File()), "chmod 600 '%s'", p.account.File())
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
	case p.recipient.client == nil:
		return check.NotMade("nobody is asked for the passphrase without a URL")
	}
	if _, err := p.account.Unlock(ctx); p.asked(err) != nil {
		return failed(err, "the passphrase of this key file", check.Yours+"the passphrase").Or("say another: --passphrase-file FILE")
	}
	return check.Fine("the passphrase opens it")
}

// books are the checks of the store: nonces, spending, and transactions.
func (p *patient) books() []check.Check {
	return []check.Check{
		{ID: "store", Needs: []string{"config"}, Run: p.checkStore},
		{ID: "budget", Needs: []string{"store", "limits", "network", "account"}, Run: p.checkBudget},
		{ID: "transactions", Needs: []string{"store", "contracts", "account"}, Run: p.bound(p.checkTransactions)},
	}
}

// checkStore opens the store only when that changes nothing in it.
func (p *patient) checkStore(ctx context.Context) check.Finding {
	const sound, knob = "a store that is sound", check.Yours + "--store, PMCTL_STORE, or store in the config file"
	location, err := p.o.Store.Choose(p.run.Env)
	if err != nil {
		return failed(err, sound, knob).Or("pmctl store check says more")
	}
	remembered := p.run.Remembered()
	report, err := store.Check(ctx, location, remembered...)
	switch {
	case errors.Is(err, store.ErrNoStore):
		return check.Fine("there is none yet: the first command that needs one makes it")
	case err != nil:
		return failed(err, sound, knob).Or("pmctl store check says more")
	case len(report.Problems) > 0:
		return failed(&store.DamagedError{Path: report.Path, Err: fmt.Errorf("%w: %s", store.ErrDamaged, report.Problems[0])}, sound, knob)
	case report.Strange != "":
		return check.Finding{State: check.Warning, Found: report.Strange, Allowed: "a store that is where and what it was", Knob: knob,
			Fix: "pmctl store acknowledge shows what may be repeated; until then transactions and unknown request IDs are refused"}
	}
	if p.store, err = store.Open(ctx, location, remembered...); err != nil {
		return failed(err, sound, knob).Or("pmctl store check says more")
	}
	if report.Restored != nil {
		return failed(&store.UnacknowledgedError{Restored: *report.Restored}, sound, knob)
	}
	return check.Fine("%s", report.Path)
}

// checkBudget finds out whether anything at all may still be spent today.
func (p *patient) checkBudget(ctx context.Context) check.Finding {
	return p.budgetFor(ctx, common.Address{}, policy.Cost(1, big.NewRat(1, 1), big.NewInt(1)))
}

// budgetFor tells whether the day's budget has room for tickets to a recipient.
func (p *patient) budgetFor(ctx context.Context, recipient common.Address, asked policy.Sum) check.Finding {
	var spent policy.Spending
	if p.store != nil {
		var err error
		if spent, err = p.store.Chain(p.network.ChainID).Spending(ctx, p.address, p.run.Now()); err != nil {
			return check.Unread(err)
		}
	}
	if err := p.limits.CheckBudget(recipient, asked, spent); err != nil {
		return failed(err, "what the budget allows in a day (UTC)", check.Yours+"[budget] in the config file")
	}
	for _, setting := range policy.Budgets() {
		if limit, _ := p.limits.Budget(setting); limit != nil {
			return check.Fine("there is room; pmctl budget shows it")
		}
	}
	return check.Fine("none is set")
}

// checkTransactions looks for transactions that were sent and are not mined. What the
// chain has by now counts, whatever the journal says.
func (p *patient) checkTransactions(ctx context.Context) check.Finding {
	if p.store == nil {
		return check.Fine("none are open")
	}
	journal := p.store.Journal(wallet.JournalName(p.network))
	defer journal.Close()
	intents, err := journal.Unsettled(ctx, p.address)
	if err != nil {
		return check.Unread(err)
	}
	open := slices.DeleteFunc(intents, func(i *tx.Intent) bool { return i.State != tx.Open })
	if len(open) == 0 {
		return check.Fine("none are open")
	}
	mined, err := p.node.NonceAt(ctx, p.address)
	if err != nil {
		return check.Unread(err)
	}
	for _, intent := range open { // the oldest holds up all others
		if intent.Nonce >= mined {
			return p.waits(ctx, intent, mined)
		}
	}
	return check.Fine("none are open")
}

// waits says why the oldest open transaction is not mined. To pay more helps where the
// price is the cause, and nowhere else.
func (p *patient) waits(ctx context.Context, intent *tx.Intent, used uint64) check.Finding {
	const wanted = "none that waits"
	newest := intent.Newest()
	hash := newest.Hash()
	waiting := func(why error) error {
		return &tx.NotMinedError{Hash: hash, Err: fmt.Errorf("it was signed at %s; %w", intent.CreatedAt.Format(time.RFC3339), why)}
	}
	if intent.Nonce > used {
		return failed(waiting(&tx.GapError{Nonce: used}), wanted, check.Yours+"the transaction that is missing")
	}
	known, err := p.node.KnowsTransaction(ctx, hash)
	if err != nil {
		return check.Unread(err)
	}
	if !known {
		return failed(cli.WithHint(waiting(errors.New("the node does not have it")), "pmctl tx wait %s sends it again", hash), wanted, check.Networks+"the pool of the node")
	}
	head, err := p.node.Head(ctx)
	if err != nil {
		return check.Unread(err)
	}
	if head.BaseFee != nil && newest.GasFeeCap().Cmp((*big.Int)(head.BaseFee)) < 0 {
		cheap := fmt.Errorf("it pays at most %s for a unit of gas, and the base fee is %s", wei.Text(newest.GasFeeCap()), wei.Text((*big.Int)(head.BaseFee)))
		return failed(cli.WithHint(waiting(cheap), "pay more for it: pmctl tx bump %s", hash), wanted, check.Networks+"the gas price; yours: --max-gas-price")
	}
	return failed(cli.WithHint(waiting(errors.New("the node has it, and its price suffices")), "wait for it: pmctl tx wait %s", hash), wanted, check.Networks+"how soon it is mined")
}
