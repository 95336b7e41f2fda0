package cmd

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/store"
)

// ward is a healthy wallet beside a local network, for something to be done to it.
type ward struct {
	*shell
	home string
	// recipientKey is the first recipient's.
	recipientKey *ecdsa.PrivateKey
	url          string // of the recipient that doctor asks; "" for none
	flags        string
	clock        func() time.Time
}

// sick is a fault, and what doctor must say of it: the checks that fail or warn, and
// none other.
type sick struct {
	name   string
	cfg    devnet.Config
	fund   string // how the wallet is funded when not as usual
	alone  bool   // no recipient is asked
	moves  bool   // the network is not the same afterwards
	induce func(*ward)
	want   []string
	exit   int
	// says is part of what is found, allowed, or to be done; brief has that be short.
	says  string
	brief bool
}

// examine runs doctor and returns the checks that are not fine, and those not made.
func (w *ward) examine(exit int) (bad, skipped []string, text string) {
	w.t.Helper()
	var out, errs bytes.Buffer
	line := append([]string{"doctor", "--output", "json"}, strings.Fields(w.url+" "+w.flags)...)
	got := Main(w.t.Context(), line, &Env{
		In: strings.NewReader(""), Out: &out, Err: &errs, Now: w.clock,
		Getenv: func(name string) string { return w.env[name] },
	})
	var document struct {
		Data struct {
			Checks []struct {
				ID, Found, Allowed, Setting, Fix string
				State                            string
			}
		}
	}
	require.NoError(w.t, json.Unmarshal(out.Bytes(), &document), errs.String())
	for _, c := range document.Data.Checks {
		switch c.State {
		case "ok":
		case "skipped":
			skipped = append(skipped, c.ID)
		default:
			bad = append(bad, c.ID+" "+c.State)
			require.NotEmpty(w.t, c.Fix, "%s says what to do: %+v", c.ID, c)
			require.NotEmpty(w.t, c.Setting, "%s says whose setting it is: %+v", c.ID, c)
			require.NotEmpty(w.t, c.Allowed, "%s says what is allowed: %+v", c.ID, c)
			text += strings.Join([]string{c.Found, c.Allowed, c.Setting, c.Fix}, "\n")
		}
	}
	require.Equal(w.t, exit, got, "%v\n%s", bad, errs.String())
	return bad, skipped, text
}

// ownNetwork is a network for one fault alone.
func (s sick) ownNetwork(t *testing.T) *ward {
	cfg := s.cfg
	cfg.Accounts = 2
	cfg.Recipients = max(1, cfg.Recipients)
	w := new(ward)
	cfg.StartRecipient = func(ctx context.Context, env devnet.RecipientEnv) (devnet.Recipient, error) {
		if env.Index == 0 {
			w.recipientKey = env.Key
		}
		return devnet.OwnRecipient(devnet.RecipientConfig{Economy: recipient.DefaultEconomy()})(ctx, env)
	}
	w.shell = newShell(t, cfg)
	fund := s.fund
	if fund == "" {
		fund = "fund --deposit 1eth --reserve 1eth"
	}
	w.run(exitDone, fund+" --yes")
	return w
}

// test induces the fault, unless it was there from the beginning.
func (s sick) test(t *testing.T, w *ward) {
	w.clock = time.Now
	w.home = filepath.Dir(w.env["ETH_PASSWORD"])
	w.env["XDG_CONFIG_HOME"] = filepath.Join(w.home, "config")
	if !s.alone {
		w.url = w.net.Recipients()[0].State().URL
	}
	if s.induce != nil {
		bad, skipped, _ := w.examine(exitDone)
		require.Empty(t, bad, "healthy before")
		require.Empty(t, skipped)
		s.induce(w)
	}
	bad, _, text := w.examine(s.exit)
	require.Equal(t, s.want, bad, text)
	require.Contains(t, text, s.says)
	if s.brief {
		require.Less(t, len(text), 450)
	}
}

func (w *ward) write(name, text string, mode os.FileMode) string {
	w.t.Helper()
	path := filepath.Join(w.home, name)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(w.t, os.WriteFile(path, []byte(text), mode))
	require.NoError(w.t, os.Chmod(path, mode))
	return path
}

// config writes the user's config file.
func (w *ward) config(text string) string { return w.write("config/pmctl/config.toml", text, 0o600) }

// keyFile is the account's.
func (w *ward) keyFile() string {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.env["XDG_DATA_HOME"], "pmctl", "keystore", "*"))
	require.NoError(w.t, err)
	require.Len(w.t, files, 1)
	return files[0]
}

func (w *ward) me() common.Address { return w.net.Accounts()[0].Address }

func (w *ward) name() { w.env["ETH_FROM"] = w.me().Hex() }

// ail has the recipient misbehave.
func (w *ward) ail(fault string) {
	w.t.Helper()
	w.control("/recipients/0/fault?name=" + url.QueryEscape(fault))
	w.t.Cleanup(func() { w.control("/recipients/0/fault?on=false&name=" + url.QueryEscape(fault)) })
}

// price changes what a unit of a runner costs, for this fault.
func (w *ward) price(runner string, wei, before int64) {
	w.t.Helper()
	w.control(fmt.Sprintf("/recipients/0/runner?name=%s&price=%d", runner, wei))
	w.t.Cleanup(func() { w.control(fmt.Sprintf("/recipients/0/runner?name=%s&price=%d", runner, before)) })
}

func (w *ward) control(path string) {
	w.t.Helper()
	res, err := http.Post(w.net.ControlURL()+path, "", nil)
	require.NoError(w.t, err)
	defer res.Body.Close()
	require.Equal(w.t, http.StatusOK, res.StatusCode)
}

// poor leaves an account next to nothing.
func (w *ward) poor() {
	w.t.Helper()
	ctx, client := w.t.Context(), w.net.Client()
	balance, err := client.BalanceAt(ctx, w.me(), nil)
	require.NoError(w.t, err)
	nonce, err := client.NonceAt(ctx, w.me(), nil)
	require.NoError(w.t, err)
	price := big.NewInt(10_000_000_000)
	const gas = 21_000
	to := w.net.Accounts()[1].Address
	spent := new(big.Int).Sub(balance, new(big.Int).Mul(price, big.NewInt(gas)))
	signed, err := types.SignNewTx(w.net.Accounts()[0].Key, types.LatestSignerForChainID(w.net.ChainID()),
		&types.LegacyTx{Nonce: nonce, To: &to, Value: spent, Gas: gas, GasPrice: price})
	require.NoError(w.t, err)
	require.NoError(w.t, client.SendTransaction(ctx, signed))
}

// arbitrum is the local network in the guise of a deployed one, whose newest block is
// old.
func (w *ward) arbitrum(age time.Duration) {
	w.t.Helper()
	deployed, err := chain.NamedNetwork(chain.ArbitrumOne)
	require.NoError(w.t, err)
	// The node knows our contracts, pmctl the deployed ones.
	var toOurs, toTheirs []string
	swap := func(theirs, ours common.Address) {
		t, o := hex.EncodeToString(theirs[:]), hex.EncodeToString(ours[:])
		toOurs, toTheirs = append(toOurs, t, o), append(toTheirs, o, t)
	}
	swap(deployed.Controller, w.net.Controller())
	for name, theirs := range map[string]common.Address{
		"TicketBroker": deployed.Contracts.TicketBroker, "RoundsManager": deployed.Contracts.RoundsManager,
		"BondingManager": deployed.Contracts.BondingManager, "ServiceRegistry": deployed.Contracts.ServiceRegistry,
		chain.AIServiceRegistry: deployed.AIServiceRegistry,
	} {
		swap(theirs, w.net.Contracts()[name])
	}
	timestamp := regexp.MustCompile(`"timestamp":"0x[0-9a-f]+"`)
	number := regexp.MustCompile(`"number":("0x[0-9a-f]+")`)
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked := strings.NewReplacer(toOurs...).Replace(string(body))
		res, err := http.Post(w.net.RPCURL(), "application/json", strings.NewReader(asked))
		if err != nil {
			return
		}
		defer res.Body.Close()
		answer, _ := io.ReadAll(res.Body)
		answer = bytes.ReplaceAll([]byte(strings.NewReplacer(toTheirs...).Replace(string(answer))), []byte(`"0x539"`), []byte(`"0xa4b1"`))
		old := fmt.Sprintf(`"timestamp":"0x%x"`, time.Now().Add(-age).Unix())
		answer = number.ReplaceAll(answer, []byte(`"number":$1,"l1BlockNumber":$1`))
		out.Header().Set("Content-Type", "application/json")
		_, _ = out.Write(timestamp.ReplaceAll(answer, []byte(old)))
	}))
	w.t.Cleanup(server.Close)
	w.env["PMCTL_NETWORK"], w.env["ETH_RPC_URL"] = chain.ArbitrumOne, server.URL
}

// elsewhere has the flags name a network without a name.
func (w *ward) elsewhere(controller common.Address, chainID uint64, rpc string) {
	w.env["PMCTL_NETWORK"] = ""
	w.flags = fmt.Sprintf("--controller %s --chain-id %d", controller.Hex(), chainID)
	if rpc != "" {
		w.flags += " --rpc-url " + rpc
	}
}

func (w *ward) storePath() string { return filepath.Join(w.env["XDG_STATE_HOME"], "pmctl", "store.db") }

// open changes what the store keeps.
func (w *ward) open(change func(*store.Chain)) {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.storePath())
	require.NoError(w.t, err)
	change(s.Chain(w.net.ChainID().Uint64()))
	require.NoError(w.t, s.Close())
}

func TestDoctorNamesEachFaultAndNoOther(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("file modes mean nothing there")
	}
	cases := append(append(append(localFaults(), chainFaults()...), recipientFaults()...), shapes()...)
	require.GreaterOrEqual(t, len(cases), 75)
	shared := sick{}.ownNetwork(t)
	for i, c := range cases {
		if testing.Short() && i%10 != 0 {
			continue // many have a local network of their own
		}
		t.Run(c.name, func(t *testing.T) {
			if c.moves {
				c.test(t, c.ownNetwork(t))
				return
			}
			w := &ward{shell: newHome(t, shared.net, t.TempDir())}
			w.env["PMCTL_DEVNET_STATE"] = shared.env["PMCTL_DEVNET_STATE"]
			w.run(exitDone, "params fetch "+w.net.Recipients()[0].State().URL) // which makes the store
			c.test(t, w)
		})
	}
}
