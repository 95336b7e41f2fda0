package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/policy"
)

// TestTheSystemsFileBindsTheUsers has root's limits hold against a user who edits the
// own file, or points the environment at another one.
func TestTheSystemsFileBindsTheUsers(t *testing.T) {
	folder := t.TempDir()
	user := filepath.Join(folder, "pmctl", "config.toml")
	require.NoError(t, os.MkdirAll(filepath.Dir(user), 0o700))
	system := filepath.Join(folder, "system.toml")
	require.NoError(t, os.WriteFile(system, []byte("network = \"devnet\"\nlimits.max_ticket_ev = \"10gwei\""), 0o644))
	home := folder
	env := &Env{SystemConfig: system, Getenv: func(name string) string {
		if name == "XDG_CONFIG_HOME" {
			return home
		}
		return ""
	}}
	limit := func() string {
		limits, err := new(LimitOptions).Limits(env)
		require.NoError(t, err)
		return limits.MaxEV.RatString()
	}

	require.Equal(t, "10000000000", limit())
	require.NoError(t, os.WriteFile(user, []byte(`limits.max_ticket_ev = "5gwei"`), 0o600))
	require.Equal(t, "5000000000", limit())
	require.NoError(t, os.WriteFile(user, []byte(`limits.max_ticket_ev = "11gwei"`), 0o600))
	_, err := new(LimitOptions).Limits(env)
	require.ErrorIs(t, err, policy.ErrLimit)
	require.ErrorContains(t, err, "max_ticket_ev in "+user+": 11 gwei would loosen the limit of 10 gwei that max_ticket_ev in "+system+" sets")

	home = "" // no user has one
	require.Equal(t, "10000000000", limit())

	// A budget, and the store that it is counted in, with any environment.
	require.NoError(t, os.WriteFile(system, []byte("store = \"/root/store.db\"\nbudget.ev_per_day = \"10gwei\""), 0o644))
	require.NoError(t, os.WriteFile(user, []byte("store = \"/user/store.db\"\nbudget.ev_per_day = \"11gwei\"\n[profile.p]\nstore = \"/other.db\"\nbudget.ev_per_day = \"12gwei\""), 0o600))
	for _, others := range []map[string]string{
		{"XDG_CONFIG_HOME": folder},
		{"XDG_CONFIG_HOME": folder, "PMCTL_PROFILE": "p"},
		{"PMCTL_STORE": "/other.db"},
		{"XDG_STATE_HOME": folder, "PMCTL_STORE": filepath.Join(folder, "pmctl", "store.db")},
	} {
		env.Getenv = func(name string) string { return others[name] }
		limits, err := new(LimitOptions).Limits(env)
		require.NoError(t, err)
		most, where := limits.Budget(policy.EVPerDay)
		require.Equal(t, "10 gwei", most.String())
		require.Equal(t, "ev_per_day in "+system, where)
		err = new(StoreOptions).CheckBound(env)
		require.ErrorIs(t, err, policy.ErrLimit, "%v", others)
		require.ErrorContains(t, err, "is not /root/store.db, which counts ev_per_day in "+system)
	}
	env.Getenv = func(name string) string { return map[string]string{"XDG_STATE_HOME": folder}[name] }
	require.NoError(t, new(StoreOptions).CheckBound(env), "whatever the home folder is")
}

// TestTheStoreOfABudgetBinds: a budget is counted in a store, so that another store is
// another budget. What names one may not be loosened either.
func TestTheStoreOfABudgetBinds(t *testing.T) {
	const budget = "budget.ev_per_day = \"1eth\"\n"
	for name, c := range map[string]struct {
		system, user string
		flag         string
		env          map[string]string
		// refused is what the refusal says; "" for none.
		refused string
	}{
		"no budget":      {system: `store = "/root/store.db"`, flag: "/other.db"},
		"the same store": {system: "store = \"/root/store.db\"\n" + budget, flag: "/root/../root/store.db"},
		"the file's":     {system: "store = \"/root/store.db\"\n" + budget},
		"by flag": {system: "store = \"/root/store.db\"\n" + budget, flag: "/other.db",
			refused: "--store: the store /other.db is not /root/store.db, which counts ev_per_day in SYSTEM"},
		"by variable": {system: "store = \"/root/store.db\"\n" + budget, env: map[string]string{"PMCTL_STORE": "/other.db"},
			refused: "PMCTL_STORE: the store /other.db is not /root/store.db"},
		"by the user's file": {system: "store = \"/root/store.db\"\n" + budget, user: `store = "/other.db"`,
			refused: "store in USER: the store /other.db is not /root/store.db"},
		"by the user's profile": {system: "store = \"/root/store.db\"\n" + budget, user: "[profile.p]\nstore = \"/other.db\"", env: map[string]string{"PMCTL_PROFILE": "p"},
			refused: "store of profile p in USER: the store /other.db is not /root/store.db"},
		"by root's own profile": {system: "store = \"/root/store.db\"\n" + budget + "[profile.p]\nstore = \"/other.db\"", env: map[string]string{"PMCTL_PROFILE": "p"},
			refused: "store of profile p in SYSTEM: the store /other.db is not /root/store.db"},
		"root's profile with its own budget": {system: "[profile.p]\nstore = \"/other.db\"\n" + budget, env: map[string]string{"PMCTL_PROFILE": "p"}},
		"root's profile with a budget": {system: "store = \"/root/store.db\"\n[profile.p]\n" + budget, env: map[string]string{"PMCTL_PROFILE": "p", "PMCTL_STORE": "/other.db"},
			refused: "counts ev_per_day of profile p in SYSTEM"},
		"in no store":                       {system: budget, refused: "ev_per_day in SYSTEM needs a fixed store, but the environment decides which store is used"},
		"in the working directory":          {system: "store = \"store.db\"\n" + budget, refused: "the working directory decides which store is used"},
		"by PGPORT":                         {system: "store = \"postgres://db/pay\"\n" + budget, env: map[string]string{"PGPORT": "5433"}, refused: "PGPORT decides which store is used"},
		"with a password":                   {system: "store = \"postgres://me@db:5432/pay\"\n" + budget, env: map[string]string{"PMCTL_STORE": "postgres://me:secret@db:5432/pay"}},
		"the nonce cap":                     {system: "store = \"/root/store.db\"\nlimits.nonce_cap = 5", flag: "/other.db", refused: "which counts nonce_cap in SYSTEM"},
		"the user's own":                    {user: budget, flag: "/other.db", refused: "the store /other.db is not HOME/state/pmctl/store.db, which counts ev_per_day in USER"},
		"the user's own store":              {user: budget},
		"the user's budget in root's store": {system: `store = "/root/store.db"`, user: budget, env: map[string]string{"PMCTL_STORE": "/other.db"}, refused: "is not /root/store.db"},
		"the user's store before root's":    {system: `store = "/root/store.db"`, user: "store = \"/own.db\"\n" + budget},
		"the user's budget, root's profile": {system: "[profile.p]\nstore = \"/root/store.db\"", user: budget, env: map[string]string{"PMCTL_PROFILE": "p"},
			refused: "store of profile p in SYSTEM: the store /root/store.db is not HOME/state/pmctl/store.db"},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			system, user := filepath.Join(home, "system.toml"), filepath.Join(home, "config", "pmctl", "config.toml")
			require.NoError(t, os.MkdirAll(filepath.Dir(user), 0o700))
			require.NoError(t, os.WriteFile(system, []byte(c.system), 0o600))
			require.NoError(t, os.WriteFile(user, []byte(c.user), 0o600))
			env := &Env{SystemConfig: system, Getenv: func(name string) string {
				switch name {
				case "XDG_CONFIG_HOME":
					return filepath.Join(home, "config")
				case "XDG_STATE_HOME":
					return filepath.Join(home, "state")
				}
				return c.env[name]
			}}
			err := (&StoreOptions{Location: c.flag}).CheckBound(env)
			if c.refused == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, policy.ErrLimit)
			require.ErrorContains(t, err, strings.NewReplacer("SYSTEM", system, "USER", user, "HOME", home).Replace(c.refused))
			require.Contains(t, HintFor(err), system[:len(home)])
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

// TestAWalletHasOneReading of the config files: what is asked for while it opens is from the same
// version, and a later wallet has a later one.
func TestAWalletHasOneReading(t *testing.T) {
	system := filepath.Join(t.TempDir(), "system.toml")
	write := func(network string) {
		require.NoError(t, os.WriteFile(system, []byte("network = \""+network+"\""), 0o644))
	}
	run := NewRun(&Env{SystemConfig: system, Getenv: func(string) string { return "" }})
	network := func(r *Run) string {
		name, _, err := r.Find("", SettingNetwork())
		require.NoError(t, err)
		return name
	}
	write("devnet")
	first, err := withSettings(run)
	require.NoError(t, err)
	write(wallet.ArbitrumOne)
	require.Equal(t, "devnet", network(first))
	second, err := withSettings(run)
	require.NoError(t, err)
	require.Equal(t, wallet.ArbitrumOne, network(second))
}
