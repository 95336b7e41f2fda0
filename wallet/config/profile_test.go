package config

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/policy"
)

func TestProfiles(t *testing.T) {
	path := write(t, `
network = "devnet"
limits.max_ticket_ev = "10gwei"
check.min_deposit = "1eth"

[profile.night-shift]
network = "mainnet"
store = "/other.db"
check.min_reserve = "2eth"
[profile.night-shift.limits]
max_ticket_ev = "5gwei"
[profile.night-shift.budget]
ev_per_day = "1eth"
`)
	f, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, "1 ETH", f.MinDeposit.String())
	require.Nil(t, f.MinReserve)
	night := f.Profiles["night-shift"]
	require.Equal(t, "mainnet", night.Network)
	require.Equal(t, "/other.db", night.Store)
	require.Equal(t, path, night.Path)
	require.Equal(t, "2 ETH", night.MinReserve.String())
	require.Nil(t, night.MinDeposit)
	require.Equal(t, "max_ticket_ev of profile night-shift in "+path, night.Rules.Where(policy.MaxTicketEV))

	limits, err := policy.Default().With(f.Rules)
	require.NoError(t, err)
	limits, err = limits.With(night.Rules)
	require.NoError(t, err)
	require.Equal(t, "5000000000", limits.MaxEV.RatString())
	_, where := limits.Budget(policy.EVPerDay)
	require.Equal(t, "ev_per_day of profile night-shift in "+path, where)
}

func TestBadProfiles(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"unknown setting":  {"[profile.a]\nnetwrk = \"devnet\"", ":2:1: unknown setting profile.a.netwrk"},
		"no unit":          {"[profile.a.limits]\nmax_ticket_ev = \"1000\"", ": profile.a: limits.max_ticket_ev: amount has no unit"},
		"bad threshold":    {"[check]\nmin_deposit = \"1\"", ": check.min_deposit: amount has no unit"},
		"limit outside":    {"[profile.a]\nmax_total_ev = \"1eth\"", "profile.a.max_total_ev; it belongs in the section [profile.a.limits]"},
		"in a section":     {"[profile.a.limits]\nev_per_day = \"1eth\"", "it belongs in the section [profile.a.budget]"},
		"nested":           {"[profile.a.profile.b]\nnetwork = \"devnet\"", "unknown setting profile.a.profile"},
		"a name with dots": {"[profile.\"a.b\"]\nnetwork = \"devnet\"", "letters, digits, _ and -"},
		"no name":          {"[profile.\"\"]\nnetwork = \"devnet\"", "letters, digits, _ and -"},
		"no table":         {"profile = \"a\"", ":1:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(write(t, c.text))
			require.ErrorIs(t, err, ErrInvalid)
			require.ErrorContains(t, err, c.says)
		})
	}
}
