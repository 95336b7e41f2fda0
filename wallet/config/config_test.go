package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/topup"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestEverySetting(t *testing.T) {
	path := write(t, `
network = "devnet"
rpc_urls = ["https://node.example/key", "https://other.example"]
from = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
keystore = "/keys"
store = "/state/store.db"

[limits]
max_ticket_ev = "1000gwei"
max_total_ev = "0.01eth"
max_face_value = "0.1eth"
deposit_multiplier = 2
recipients = ["0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"]

[budget]
ev_per_day = "1eth"
face_value_per_day = "2eth"
recipient_ev_per_day = "3gwei"
recipient_face_value_per_day = "4wei"
`)
	f, err := Read(path)
	require.NoError(t, err)
	someone := common.HexToAddress("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
	require.Equal(t, "devnet", f.Network)
	require.Equal(t, []string{"https://node.example/key", "https://other.example"}, f.RPCURLs)
	require.Equal(t, someone, *f.From)
	require.Equal(t, "/keys", f.Keystore)
	require.Equal(t, "/state/store.db", f.Store)

	limits, err := policy.Default().With(f.Rules)
	require.NoError(t, err)
	require.Equal(t, "1000000000000", limits.MaxEV.RatString())
	require.Equal(t, "10000000000000000", limits.MaxTotalEV.RatString())
	require.Equal(t, "100000000000000000", limits.MaxFaceValue.Decimal())
	require.Equal(t, 2, limits.DepositMultiplier)
	require.Equal(t, []common.Address{someone}, limits.Recipients)
	require.Equal(t, "max_total_ev in "+path, f.Rules.Where(policy.MaxTotalEV))
	for s, want := range map[policy.Setting]string{
		policy.EVPerDay: "1 ETH", policy.FaceValuePerDay: "2 ETH",
		policy.RecipientEVPerDay: "3 gwei", policy.RecipientFaceValuePerDay: "4 wei",
	} {
		limit, where := limits.Budget(s)
		require.Equal(t, want, limit.String())
		require.Equal(t, policy.SpecOf(s).Key+" in "+path, where)
	}
}

func TestNothingIsSet(t *testing.T) {
	missing, err := Read(filepath.Join(t.TempDir(), "config.toml"))
	require.NoError(t, err)
	empty, err := Read(write(t, "# nothing\n"))
	require.NoError(t, err)
	for _, f := range []*File{missing, empty} {
		limits, err := policy.Default().With(f.Rules)
		require.NoError(t, err)
		require.Equal(t, policy.Default().Limits, limits.Limits)
		require.Nil(t, limits.Recipients)
		require.Nil(t, f.RPCURLs)
	}
}

// Every limit of policy has a name here: none can be set only where it does not bind.
func TestEveryLimitHasAKey(t *testing.T) {
	sections := map[string]reflect.Type{policy.SectionLimits: reflect.TypeFor[limits](), policy.SectionBudget: reflect.TypeFor[budget]()}
	there := 0
	for _, section := range sections {
		there += section.NumField()
	}
	all := policy.Table()
	for _, spec := range all {
		section := sections[spec.Section]
		require.True(t, slices.ContainsFunc(reflect.VisibleFields(section), func(f reflect.StructField) bool { return f.Tag.Get("toml") == spec.Key }), spec.Name())
	}
	require.Equal(t, len(all), there)
	rules := reflect.TypeFor[fundAuto]()
	for i, spec := range topup.Table() {
		require.Equal(t, spec.Key, rules.Field(i).Tag.Get("toml"))
	}
	require.Equal(t, len(topup.Table()), rules.NumField())
}

// TestRulesForFunds reads them with their place, also from a profile.
func TestRulesForFunds(t *testing.T) {
	f, err := Read(write(t, "[fund_auto]\ndeposit = \"1eth\"\ndeposit_days = 14\ndeposit_promised = true\n[profile.night.fund_auto]\nmax_per_day = \"2eth\""))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"deposit": "1eth", "deposit_days": "14", "deposit_promised": "true"}, f.FundAuto)
	require.Equal(t, map[string]string{"max_per_day": "2eth"}, f.Profiles["night"].FundAuto)
}

// TestAFileWithAByteOrderMark is read as without it, also with Windows' line ends.
func TestAFileWithAByteOrderMark(t *testing.T) {
	f, err := Read(write(t, "\ufeffnetwork = \"devnet\"\r\n[limits]\r\nnonce_cap = 5\r\n"))
	require.NoError(t, err)
	require.Equal(t, "devnet", f.Network)
	require.Contains(t, f.Rules.Values, policy.NonceCap)
}

func TestBadFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"no TOML":          {"network = ", ":1:"},
		"unknown setting":  {"\nnetwrk = \"devnet\"", ":2:1: unknown setting netwrk"},
		"a rule's unit":    {"[fund_auto]\nreserve = \"1\"", ": fund_auto.reserve: amount has no unit"},
		"a rule's number":  {"[fund_auto]\ndeposit_days = -2", ": fund_auto.deposit_days: \"-2\" is not a whole number from 1 to 65535"},
		"a rule's switch":  {"[fund_auto]\ndeposit_promised = 2", "fund_auto.deposit_promised: want true or false, found integer"},
		"limit outside":    {"max_total_ev = \"1eth\"", ":1:1: unknown setting max_total_ev; it belongs in the section [limits]"},
		"budget in limits": {"[limits]\nev_per_day = \"1eth\"", ":2:1: unknown setting limits.ev_per_day; it belongs in the section [budget]"},
		"rule outside":     {"gas_kept = \"1eth\"", "unknown setting gas_kept; it belongs in the section [fund_auto]"},
		"unknown rule":     {"[fund_auto]\ndeposits = 5", ":2:1: unknown setting fund_auto.deposits"},
		"unknown limit":    {"[limits]\nmax_tickets = 5", ":2:1: unknown setting limits.max_tickets"},
		"other case":       {"[limits]\nmax_ticket_ev = \"1gwei\"\nMax_ticket_ev = \"1eth\"", ": unknown setting limits.Max_ticket_ev; settings are in lower case"},
		"other section":    {"[profile.Night]\nLimits.max_ticket_ev = \"1gwei\"", ": unknown setting profile.Night.Limits; settings are in lower case"},
		"no unit":          {"[limits]\nmax_ticket_ev = \"1000\"", ": limits.max_ticket_ev: amount has no unit"},
		"a bare number":    {"[limits]\nmax_ticket_ev = 1000", ":2:17: limits.max_ticket_ev: want text in quotes, found integer"},
		"no list":          {"rpc_urls = \"http://127.0.0.1\"", ":1:12: rpc_urls: want a list of texts in quotes, found string"},
		"no text in list":  {"rpc_urls = [1]", ":1:13: rpc_urls: want text in quotes, found integer"},
		"a section":        {"[network]\na = 1", ":1:2: network: want text in quotes, found table"},
		"two sections":     {"[[limits]]\na = 1", ":1:3: limits: want a section with settings, found array table"},
		"a number's":       {"[limits.nonce_cap]\na = 1", ":1:2: limits.nonce_cap: want a whole number, found table"},
		"no section":       {"limits = 3", ":1:10: limits: want a section with settings, found integer"},
		"no check":         {"check = 3", ":1:9: check: want a section with settings, found integer"},
		"no profiles":      {"profile = 3", ":1:11: profile: want a section with settings, found integer"},
		"no profile":       {"[profile]\nnight = 3", ":2:9: profile.night: want a section with settings, found integer"},
		"no number":        {"[limits]\ndeposit_multiplier = \"2\"", "limits.deposit_multiplier: want a whole number, found string"},
		"negative":         {"[limits]\nmax_total_ev = \"-1eth\"", "is negative"},
		"no address":       {"from = \"0x12\"", `from: "0x12" is not an address`},
		"wrong checksum":   {"from = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD\"", "wrong checksum"},
		"a private key":    {"from = \"" + strings.Repeat("ab", 32) + "\"", "from: that looks like a private key"},
		"bad budget":       {"[budget]\nev_per_day = \"1\"", ": budget.ev_per_day: amount has no unit"},
		"unknown budget":   {"[budget]\nper_hour = \"1eth\"", "unknown setting budget.per_hour"},
		"no recipient":     {"[limits]\nrecipients = []", "would allow no recipient"},
		"no multiplier":    {"[limits]\ndeposit_multiplier = 0", "whole number from 1"},
		"large multiplier": {"[limits]\ndeposit_multiplier = 9999999999", "deposit_multiplier"},
		"empty URL":        {"rpc_urls = [\"\"]", "rpc_urls: one URL is empty"},
		"too large":        {"#" + strings.Repeat("x", maxSize), "it has more than 65536 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, c.text)
			_, err := Read(path)
			require.ErrorIs(t, err, ErrInvalid)
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "\n")
			require.NotContains(t, err.Error(), "abab")
		})
	}
	_, err := Read(t.TempDir())
	require.ErrorIs(t, err, ErrInvalid)
}
