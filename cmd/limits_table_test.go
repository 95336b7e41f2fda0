//go:build linux || darwin

package cmd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/oneday"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// What the cells of the table in docs/limits.md say.
const (
	applied    = "applied"     // refused, as the limit refuses it
	refused    = "refused"     // the attempt itself is refused, by name
	noWay      = "no way"      // no such command line, and nothing is signed
	madeBefore = "made before" // what was made before the limit was set, and nothing new
)

// limitCase is a limit that root's file sets so tightly that it refuses a command, and what
// comes of each way around it.
type limitCase struct {
	setting policy.Setting
	// strict is its value in root's file, loose one that would allow the command, in TOML.
	strict, loose string
	// flag is loose as a flag's value; "" for a limit without a flag.
	flag string
	// sends reports whether the command is pmctl fund, and not pmctl ticket batch; more are its
	// arguments beside the usual ones.
	sends bool
	more  []string
	// code and says are how the limit refuses it.
	code int
	says string
	// cells are in the order of limitWays.
	cells []string
}

func limitCases(recipient string) []limitCase {
	tickets := func(s policy.Setting, strict, loose, flag, says string) limitCase {
		return limitCase{setting: s, strict: strict, loose: loose, flag: flag, code: exitLimit, says: says,
			cells: []string{refused, applied, refused, refused, applied, applied, applied, applied, noWay, applied, noWay, applied}}
	}
	multiplier := tickets(policy.DepositMultiplier, `1000000`, `1`, "1", "must cover 1000000")
	multiplier.cells = []string{refused, applied, refused, refused, applied, applied, refused, applied, noWay, applied, noWay, madeBefore}
	nonceCap := tickets(policy.NonceCap, `1`, `600`, "", "one set of ticket params allows")
	nonceCap.code = exitUnacceptable
	nonceCap.cells = []string{noWay, applied, refused, refused, applied, refused, applied, applied, noWay, applied, noWay, applied}
	headAge := tickets(policy.MaxHeadAge, `"20s"`, `"1h"`, "1h", "requires asking the chain: facts about the chain may be 20s old")
	headAge.more = []string{"--offline"}
	headAge.cells = []string{refused, applied, refused, refused, applied, applied, refused, applied, noWay, noWay, noWay, madeBefore}
	cases := []limitCase{
		tickets(policy.MaxTicketEV, `"1gwei"`, `"1eth"`, "1eth", "is above the limit of 1 gwei"),
		tickets(policy.MaxTotalEV, `"1gwei"`, `"1eth"`, "1eth", "is above the limit of 1 gwei"),
		tickets(policy.MaxFaceValue, `"1gwei"`, `"1eth"`, "1eth", "is above the limit of 1 gwei"),
		multiplier,
		nonceCap,
		tickets(policy.Recipients, `["0x00000000000000000000000000000000000A11cE"]`, `["`+recipient+`"]`, recipient, "not 0x00000000000000000000000000000000000A11cE"),
		headAge,
	}
	for _, s := range []policy.Setting{policy.MaxGasPrice, policy.MaxFee} {
		cases = append(cases, limitCase{setting: s, strict: `"1wei"`, loose: `"10eth"`, flag: "10eth", sends: true, code: exitLimit, says: "above the limit of 1 wei",
			cells: []string{refused, applied, refused, refused, applied, applied, noWay, applied, applied, noWay, applied, madeBefore}})
	}
	for _, s := range policy.Budgets() {
		c := tickets(s, `"1gwei"`, `"1eth"`, "", "would exceed the day's budget")
		c.cells = []string{noWay, applied, applied, applied, applied, refused, applied, applied, noWay, applied, noWay, madeBefore}
		cases = append(cases, c)
	}
	return cases
}

// limitWay is a way around a limit: what is tried, and what it came to.
type limitWay struct {
	name string
	try  func(*limitWorld, limitCase) []ran
	// says is part of what is said where the way itself is refused.
	says string
}

func limitWays() []limitWay {
	const looser = "would loosen the limit of"
	return []limitWay{
		{"flag", (*limitWorld).byFlag, looser},
		{"environment", (*limitWorld).byEnvironment, ""},
		{"user's file", (*limitWorld).byFile, looser},
		{"profile", (*limitWorld).byProfile, looser},
		{"HOME", (*limitWorld).byHome, ""},
		{"store", (*limitWorld).byStore, "which counts"},
		{"offline", (*limitWorld).byOffline, "a limit requires asking the chain"},
		{"agent", (*limitWorld).byAgent, ""},
		{"unsigned document", (*limitWorld).byDocument, ""},
		{"stream", (*limitWorld).byStream, ""},
		{"redeem", (*limitWorld).byRedeem, ""},
		{"request id", (*limitWorld).byRequest, ""},
	}
}

// TestEveryWayAroundALimit walks the cells of the table in docs/limits.md: each limit of
// root's file, and each way around it.
func TestEveryWayAroundALimit(t *testing.T) {
	notInShort(t)
	state := filepath.Join(t.TempDir(), "devnet.json")
	d, err := devnet.Start(t.Context(), devnet.Config{StatePath: state, Recipients: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	newLimitWorld(t, d, state, "").may(0, "fund", "--deposit", "1eth", "--reserve", "1eth", "--yes")
	for _, c := range limitCases(d.Recipients()[0].State().Address.Hex()) {
		t.Run(policy.SpecOf(c.setting).Key, func(t *testing.T) {
			oneday.For(t, 2*time.Minute)
			section := "limits"
			if strings.HasSuffix(string(c.setting), "_per_day") {
				section = "budget"
			}
			w := newLimitWorld(t, d, state, fmt.Sprintf("%s.%s = ", section, policy.SpecOf(c.setting).Key))
			fetched := w.may(0, "params", "fetch", d.Recipients()[0].State().URL, "--output", "json")
			require.NoError(t, os.WriteFile(w.params, []byte(fetched.out), 0o600))
			require.NoError(t, os.WriteFile(w.strict, []byte(fmt.Sprintf("store = %q\n%s%s\n", w.store, w.key, c.strict)), 0o600))
			w.check(c, applied, limitWay{name: "no way around"}, []ran{w.must(c)})
			for i, way := range limitWays() {
				w.check(c, c.cells[i], way, way.try(w, c))
			}
			if !c.sends { // and nothing was made but what the ways made before the limit was set
				spent := w.may(0, "budget", "--output", "json")
				require.EqualValues(t, w.made, w.field(spent, "tickets"))
			}
		})
	}
}

// TestTheTableOfLimits compares the table in docs/limits.md with the one that is walked.
func TestTheTableOfLimits(t *testing.T) {
	page, err := os.ReadFile("../docs/limits.md")
	require.NoError(t, err)
	want := "| limit |"
	for _, way := range limitWays() {
		want += " " + way.name + " |"
	}
	want += "\n|" + strings.Repeat("---|", len(limitWays())+1) + "\n"
	for _, c := range limitCases("") {
		require.Len(t, c.cells, len(limitWays()), c.setting)
		want += "| `" + policy.SpecOf(c.setting).Key + "` | " + strings.Join(c.cells, " | ") + " |\n"
	}
	require.Contains(t, string(page), "\n"+want+"\n", "the table must be\n%s", want)
	covered := make(map[policy.Setting]bool)
	for _, c := range limitCases("") {
		covered[c.setting] = true
	}
	for _, spec := range policy.Table() {
		require.True(t, covered[spec.Setting], "no row for %s", spec.Name())
	}
}

// limitWorld is a home beside a local network, with root's file in two forms.
type limitWorld struct {
	t   *testing.T
	net *devnet.Devnet
	env map[string]string
	// home is the user's, strict and free are root's file with the limit and without;
	// store is the one that strict names, params a document of ticket params.
	home, strict, free, store, params string
	// key is how a file begins the line that sets the limit.
	key string
	// made is how many tickets were made before the limit was set.
	made int
}

func newLimitWorld(t *testing.T, d *devnet.Devnet, state, key string) *limitWorld {
	t.Helper()
	home := t.TempDir()
	w := &limitWorld{
		t: t, net: d, key: key, home: home, env: newHome(t, d, home).env,
		strict: filepath.Join(home, "strict.toml"), free: filepath.Join(home, "free.toml"),
		store: filepath.Join(home, "state", "pmctl", "store.db"), params: filepath.Join(home, "params.json"),
	}
	w.env["PMCTL_DEVNET_STATE"], w.env["XDG_CONFIG_HOME"], w.env["PMCTL_AGENT"] = state, filepath.Join(home, "config"), "off"
	w.env["GOGC"] = "100"
	require.NoError(t, os.WriteFile(w.free, nil, 0o600))
	return w
}

// ran is a command line that was run, and how.
type ran struct {
	line      string
	code      int
	out, errs string
}

// keepProcessors undoes what a command does to its process when many tickets may come.
func keepProcessors() (restore func()) {
	n := runtime.GOMAXPROCS(0)
	return func() { runtime.GOMAXPROCS(n) }
}

// attempt is a command line in another environment.
type attempt struct {
	root  string // the system's config file
	args  []string
	env   map[string]string
	home  string
	stdin string
}

func (w *limitWorld) run(a attempt) ran {
	w.t.Helper()
	defer keepProcessors()()
	var out, errs bytes.Buffer
	env := maps.Clone(w.env)
	maps.Copy(env, a.env)
	code := Main(w.t.Context(), a.args, &Env{
		In: strings.NewReader(a.stdin), Out: &out, Err: &errs, Now: time.Now, Home: a.home, SystemConfig: a.root,
		Getenv: func(name string) string { return env[name] },
	})
	return ran{strings.Join(a.args, " "), code, out.String(), errs.String()}
}

// may runs a command line without the limit.
func (w *limitWorld) may(code int, args ...string) ran {
	w.t.Helper()
	r := w.run(attempt{root: w.free, args: args})
	require.Equal(w.t, code, r.code, "%s: %s", r.line, r.errs)
	return r
}

// command is what the limit refuses.
func (w *limitWorld) command(c limitCase, more ...string) []string {
	args := []string{"ticket", "batch", "--params", w.params, "--count", "2"}
	if c.sends {
		args = []string{"fund", "--deposit", "1gwei", "--yes", "--output", "json"}
	}
	return append(append(args, c.more...), more...)
}

// must runs it under the limit.
func (w *limitWorld) must(c limitCase, more ...string) ran {
	w.t.Helper()
	return w.run(attempt{root: w.strict, args: w.command(c, more...)})
}

func (w *limitWorld) check(c limitCase, want string, way limitWay, all []ran) {
	w.t.Helper()
	require.NotEmpty(w.t, all)
	for _, r := range all {
		what := fmt.Sprintf("%s: %s: exit code %d: %s%s", way.name, r.line, r.code, r.errs, r.out)
		switch want {
		case applied:
			require.Equal(w.t, c.code, r.code, what)
			require.Contains(w.t, r.errs+r.out, c.says, what)
		case refused:
			require.NotEmpty(w.t, way.says)
			require.Equal(w.t, exitLimit, r.code, what)
			require.Contains(w.t, r.errs, way.says, what)
			require.Contains(w.t, r.errs, policy.SpecOf(c.setting).Key+" in "+w.strict, what)
		case noWay:
			require.Contains(w.t, []int{exitFailed, exitUsage}, r.code, what)
			require.Empty(w.t, r.out, what)
		case madeBefore:
			require.Equal(w.t, exitDone, r.code, what)
		default:
			require.Fail(w.t, "no such cell", want)
		}
	}
}

func (w *limitWorld) byFlag(c limitCase) []ran {
	name := "--" + strings.ReplaceAll(string(c.setting), "_", "-")
	if c.flag == "" {
		return []ran{w.must(c, name+"=1eth")}
	}
	c.more = nil // --offline and --max-head-age exclude each other
	return []ran{w.must(c, name+"="+c.flag)}
}

func (w *limitWorld) byEnvironment(c limitCase) []ran {
	env := make(map[string]string)
	for _, prefix := range []string{"", "PMCTL_", "PMCTL_LIMITS_", "PMCTL_BUDGET_"} {
		env[prefix+strings.ToUpper(policy.SpecOf(c.setting).Key)] = strings.Trim(c.loose, `"`)
	}
	return []ran{w.run(attempt{root: w.strict, args: w.command(c), env: env})}
}

// usersFile has the user's own file say text.
func (w *limitWorld) usersFile(text string) (remove func()) {
	path := filepath.Join(w.home, "config", "pmctl", "config.toml")
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(w.t, os.WriteFile(path, []byte(text), 0o600))
	return func() { require.NoError(w.t, os.Remove(path)) }
}

func (w *limitWorld) byFile(c limitCase) []ran {
	defer w.usersFile(w.key + c.loose)()
	return []ran{w.must(c)}
}

func (w *limitWorld) byProfile(c limitCase) []ran {
	defer w.usersFile("[profile.loose]\n" + w.key + c.loose)()
	return []ran{w.must(c, "--profile", "loose"), w.run(attempt{root: w.strict, args: w.command(c), env: map[string]string{"PMCTL_PROFILE": "loose"}})}
}

func (w *limitWorld) byHome(c limitCase) []ran {
	keys := filepath.Join(w.env["XDG_DATA_HOME"], "pmctl", "keystore")
	elsewhere := w.t.TempDir()
	none := map[string]string{"ETH_KEYSTORE": keys, "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": "", "XDG_DATA_HOME": "", "XDG_CACHE_HOME": ""}
	xdg := map[string]string{"ETH_KEYSTORE": keys}
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"} {
		xdg[name] = filepath.Join(elsewhere, name)
	}
	return []ran{
		w.run(attempt{root: w.strict, args: w.command(c), env: none, home: elsewhere}),
		w.run(attempt{root: w.strict, args: w.command(c), env: xdg}),
	}
}

func (w *limitWorld) byStore(c limitCase) []ran {
	other := filepath.Join(w.t.TempDir(), "store.db")
	adopt := "--adopt"
	if c.sends {
		adopt = "--confirmations=1" // of no effect
	}
	all := []ran{
		w.must(c, adopt, "--store", other),
		w.run(attempt{root: w.strict, args: w.command(c, adopt), env: map[string]string{"PMCTL_STORE": other}}),
	}
	func() {
		defer w.usersFile(fmt.Sprintf("store = %q\n", other))()
		all = append(all, w.must(c, adopt))
	}()
	defer w.usersFile(fmt.Sprintf("[profile.other]\nstore = %q\n", other))()
	return append(all, w.must(c, adopt, "--profile", "other"))
}

func (w *limitWorld) byOffline(c limitCase) []ran {
	c.more = nil
	return []ran{w.must(c, "--offline")}
}

// byAgent has an agent hold to root's file a command that knows nothing of it.
func (w *limitWorld) byAgent(c limitCase) []ran {
	folder, err := os.MkdirTemp("", "l") // a test's own folder can be too long for a socket
	require.NoError(w.t, err)
	defer os.RemoveAll(folder)
	env := maps.Clone(w.env)
	env["PMCTL_AGENT"] = filepath.Join(folder, "s")
	defer keepProcessors()()
	ctx, stop := context.WithCancel(w.t.Context())
	told, tell := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Main(ctx, []string{"agent", "start", "--foreground"}, &Env{
			In: strings.NewReader(""), Out: io.Discard, Err: tell, Now: time.Now, SystemConfig: w.strict,
			Getenv: func(name string) string { return env[name] },
		})
		tell.Close()
	}()
	defer func() {
		stop()
		_, _ = io.Copy(io.Discard, told)
		<-ended
	}()
	line, err := bufio.NewReader(told).ReadString('\n')
	require.NoError(w.t, err)
	require.Contains(w.t, line, "the agent signs for")
	return []ran{w.run(attempt{root: w.free, args: w.command(c), env: map[string]string{"PMCTL_AGENT": env["PMCTL_AGENT"], "PMCTL_STORE": w.store, "ETH_PASSWORD": ""}})}
}

// byDocument has what a machine without the limit prepared signed, and what it signed
// sent.
func (w *limitWorld) byDocument(c limitCase) []ran {
	if !c.sends {
		return []ran{w.run(attempt{root: w.strict, args: []string{"tx", "sign", w.params, "--yes"}})}
	}
	write := func(name, text string) string {
		path := filepath.Join(w.t.TempDir(), name)
		require.NoError(w.t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	unsigned := write("unsigned.json", w.may(0, "fund", "--deposit", "1gwei", "--unsigned").out)
	signed := write("signed.json", w.may(0, "tx", "sign", unsigned, "--yes").out)
	return []ran{
		w.run(attempt{root: w.strict, args: []string{"tx", "sign", unsigned, "--yes"}}),
		w.run(attempt{root: w.strict, args: []string{"tx", "send", signed}}),
	}
}

func (w *limitWorld) byStream(c limitCase) []ran {
	text, err := os.ReadFile(w.params)
	require.NoError(w.t, err)
	var line bytes.Buffer
	require.NoError(w.t, json.Compact(&line, text))
	args := append([]string{"ticket", "batch", "--stream", "--count", "2"}, c.more...)
	if c.sends {
		args = append(args, "--"+string(c.setting)+"="+c.flag)
	}
	return []ran{w.run(attempt{root: w.strict, args: args, stdin: line.String() + "\n"})}
}

// byRedeem redeems a ticket that wins, where the limit is one on transactions.
func (w *limitWorld) byRedeem(c limitCase) []ran {
	number := filepath.Join(w.t.TempDir(), "rand")
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	require.NoError(w.t, os.WriteFile(number, []byte(new(big.Int).SetBytes(secret).String()+"\n"), 0o600))
	if !c.sends {
		return []ran{w.run(attempt{root: w.strict, args: []string{"ticket", "redeem", w.params, "--recipient-rand-file", number, "--yes"}})}
	}
	fetched, err := os.Open(w.params)
	require.NoError(w.t, err)
	defer fetched.Close()
	document, err := format.ReadParams(fetched)
	require.NoError(w.t, err)
	info, err := document.Info()
	require.NoError(w.t, err)
	params, err := info.Params()
	require.NoError(w.t, err)
	one := wei.FromUint64(1_000_000_000_000_000)
	offer, err := wire.FromTicketParams(&pm.TicketParams{
		Recipient: w.net.Recipients()[0].State().Address, FaceValue: one.Big(), RecipientRandHash: crypto.Keccak256Hash(secret), Seed: big.NewInt(1),
		WinProb:         new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), new(big.Int).Lsh(big.NewInt(1), 128)),
		ExpirationBlock: params.ExpirationBlock,
	})
	require.NoError(w.t, err)
	sender := w.net.Accounts()[0].Address
	winning, err := format.ParamsFromInfo(&wire.OrchestratorInfo{TicketParams: offer}, sender, "", "", time.Now())
	require.NoError(w.t, err)
	var text bytes.Buffer
	require.NoError(w.t, format.Write(&text, format.KindParams, winning))
	path := filepath.Join(w.t.TempDir(), "winning.json")
	require.NoError(w.t, os.WriteFile(path, text.Bytes(), 0o600))
	tickets := filepath.Join(w.t.TempDir(), "tickets.json")
	w.may(0, "ticket", "batch", "--params", path, "--count", "1", "--max-ticket-ev", "1eth", "--max-total-ev", "1eth", "--out", tickets)
	return []ran{w.run(attempt{root: w.strict, args: []string{"ticket", "redeem", tickets, "--recipient-rand-file", number, "--early", "--yes"}})}
}

// byRequest asks again for what was made before the limit was set.
func (w *limitWorld) byRequest(c limitCase) []ran {
	w.t.Helper()
	before := w.may(0, w.command(c, "--request-id", "before")...)
	after := w.must(c, "--request-id", "before")
	switch {
	case c.sends:
		require.Equal(w.t, w.field(before, "transaction_hash"), w.field(after, "transaction_hash"))
	case after.code == exitDone:
		require.Equal(w.t, before.out, after.out)
	}
	if !c.sends {
		w.made = 2
	}
	return []ran{after}
}

// field is one of what a command line answered.
func (w *limitWorld) field(r ran, name string) any {
	w.t.Helper()
	var document struct{ Data map[string]any }
	require.NoError(w.t, json.Unmarshal([]byte(r.out), &document), "%s: %s%s", r.line, r.out, r.errs)
	return document.Data[name]
}
