package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// rules writes the rules of fund auto to the config file.
func (s *shell) rules(text string) {
	s.t.Helper()
	s.env["XDG_CONFIG_HOME"] = s.t.TempDir()
	folder := filepath.Join(s.env["XDG_CONFIG_HOME"], "pmctl")
	require.NoError(s.t, os.Mkdir(folder, 0o700))
	require.NoError(s.t, os.WriteFile(filepath.Join(folder, "config.toml"), []byte("[fund_auto]\n"+text), 0o600))
}

// spend makes tickets that all win, and redeems them.
func (s *shell) spend(tickets int64, faceValue *big.Int) {
	s.t.Helper()
	dir, sender := s.t.TempDir(), s.net.Accounts()[0].Address
	params, batch, number := filepath.Join(dir, "params.json"), filepath.Join(dir, "batch.json"), filepath.Join(dir, "rand")
	status, err := s.net.Status(s.t.Context())
	require.NoError(s.t, err)
	secret, err := writeOffer(params, sender, pm.TicketParams{
		Recipient: common.Address(s.net.Recipients()[0].State().Address), FaceValue: faceValue, WinProb: alwaysWins(),
		ExpirationBlock: new(big.Int).SetUint64(status.L1Block + 10),
	})
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(number, []byte(secret), 0o600))
	require.NoError(s.t, s.process(fmt.Sprintf("ticket batch --params %s --count %d --max-ticket-ev 1eth --max-total-ev 100eth --out %s", params, tickets, batch)))
	s.run(exitDone, fmt.Sprintf("ticket redeem %s --recipient-rand-file %s --early --at-a-loss --yes", batch, number))
}

// TestSoakFundAutoForWeeks spends at random on the local network, and looks after each week: the deposit
// never ran dry, the funds are what is needed after each look that says so, and the ceiling ends it.
func TestSoakFundAutoForWeeks(t *testing.T) {
	t.Parallel()
	notInShort(t)
	s := newShell(t, devnet.Config{Recipients: 1, RoundLength: 1000})
	most := int64(700)
	if os.Getenv("PMCTL_SOAK") == "whole" {
		most = 10_000
	}
	s.rules(fmt.Sprintf("deposit = \"0.2eth\"\nreserve = \"0.1eth\"\nstep = \"0.05eth\"\nmax_per_day = \"100eth\"\nmax_total = \"%de15wei\"\n", most))
	random := rand.New(rand.NewPCG(18, 5))
	ceiling := new(big.Int).Mul(big.NewInt(most), big.NewInt(1e15))
	s.run(exitDone, "fund auto --once")
	code, weeks := exitDone, 0
	for ; code == exitDone; weeks++ {
		require.Less(t, weeks, 1000)
		before := s.number(s.run(exitDone, "status"), "deposit")
		tickets, faceValue := 1+random.Int64N(4), new(big.Int).Mul(big.NewInt(1+random.Int64N(45)), big.NewInt(1e15))
		s.spend(tickets, faceValue)
		deposit := s.number(s.run(exitDone, "status"), "deposit")
		require.Equal(t, new(big.Int).Sub(before, new(big.Int).Mul(big.NewInt(tickets), faceValue)), deposit, "the deposit paid all of it")
		if random.IntN(3) == 0 { // gas is dear
			end := s.launch(t.Context(), "fund auto --once --output json --max-gas-price 1wei")
			require.NotContains(t, end.out, `"outcome": "funded"`)
		}
		end := s.launch(t.Context(), "fund auto --once --output json")
		code = end.code
		var look struct {
			Data struct {
				Outcome, Reason string
				Funds           map[string]string
			}
		}
		require.NoError(t, json.Unmarshal([]byte(end.out), &look), end.errs)
		require.LessOrEqual(t, s.number(map[string]any{"moved": look.Data.Funds["moved_total"]}, "moved").Cmp(ceiling), 0)
		if now := s.run(exitDone, "status"); code == exitDone {
			require.GreaterOrEqual(t, s.number(now, "deposit").Cmp(big.NewInt(2e17)), 0)
			require.GreaterOrEqual(t, s.number(now, "reserve").Cmp(big.NewInt(1e17)), 0)
			continue
		}
		require.Equal(t, exitLimit, code)
		require.Equal(t, "max_total", look.Data.Reason)
	}
	require.Greater(t, weeks, 2)
}

// TestFundAutoNotifies: a server and a program learn of a top-up, and of what prevents one, and see no
// secret of pmctl's environment. A report that fails is a warning.
func TestFundAutoNotifies(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}
	var events []map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var event map[string]any
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &event)
		event["token"] = r.Header.Get("Authorization")
		events = append(events, event)
		if len(events) > 2 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer server.Close()
	s := newShell(t, devnet.Config{})
	dir := t.TempDir()
	program, endpoint, log := filepath.Join(dir, "notify"), filepath.Join(dir, "events"), filepath.Join(dir, "log")
	require.NoError(t, os.WriteFile(endpoint, []byte(server.URL+"/hook\nAuthorization: Bearer hush\n"), 0o600))
	script := func(code int) {
		text := fmt.Sprintf("#!/bin/sh\n{ env; cat; } >>%s\nexit %d\n", log, code)
		require.NoError(t, os.WriteFile(program+".new", []byte(text), 0o700))
		require.NoError(t, os.Rename(program+".new", program))
	}
	script(0)
	look := func(rules string, code int) string {
		s.rules(rules + "\nmax_per_day = \"1eth\"\nmax_total = \"2eth\"\n")
		s.env["ETH_RPC_URL"] = s.net.RPCURL() + "/?key=hush"
		end := s.launch(t.Context(), "fund auto --once --output json --events-file "+endpoint+" --notify-command "+program)
		require.Equal(t, code, end.code, end.errs)
		return end.out
	}
	look(`deposit = "0.5eth"`, exitDone)
	look(`deposit = "0.5eth"`, exitDone) // enough: no news
	require.NotContains(t, look("deposit = \"0.6eth\"\ngas_kept = \"99999eth\"", exitFunds), "warnings")
	require.Len(t, events, 2)
	require.Equal(t, "pmctl.fund_auto.funded", events[0]["type"])
	require.Equal(t, "Bearer hush", events[0]["token"])
	require.Equal(t, "pmctl.fund_auto.cannot", events[1]["type"])
	require.Equal(t, "balance", events[1]["data"].(map[string]any)["reason"])
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.NotContains(t, string(text), "hush")
	require.NotContains(t, string(text), "ETH_")
	require.Equal(t, 2, strings.Count(string(text), `"kind":"pmctl.fund_auto"`))
	require.Contains(t, string(text), "PMCTL_OUTCOME=funded\n")
	require.Contains(t, string(text), "PMCTL_REASON=balance\n")

	script(3)
	out := look(`deposit = "0.7eth"`, exitDone)
	require.Contains(t, out, `"event_not_sent"`)
	require.Contains(t, out, `"command_failed"`)
	require.NotContains(t, out, "hook")
}

// TestFundAutoIsKilled kills the process when its node has the transaction to send and passes on
// nothing: the next run sends that one, and no second one.
func TestFundAutoIsKilled(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	s.rules("deposit = \"0.5eth\"\nmax_per_day = \"1eth\"\nmax_total = \"2eth\"\n")
	ctx, kill := context.WithCancel(t.Context())
	node := newSwallowing(t, s.net.RPCURL(), kill)
	end := s.launch(ctx, "fund auto --once --output json --rpc-url "+node)
	require.Equal(t, killed, end.code, end.errs)
	require.Equal(t, "0", s.number(s.run(exitDone, "status"), "deposit").String())
	s.run(exitDone, "fund auto --once --dry-run")
	again := s.run(exitDone, "fund auto --once")
	require.NotNil(t, again)
	require.Equal(t, "500000000000000000", s.number(s.run(exitDone, "status"), "deposit").String())
	require.Len(t, s.run(exitDone, "tx list --all")["transactions"], 1)
}

// newSwallowing is a proxy before a node that passes on no transaction, and reports the first.
func newSwallowing(t *testing.T, behind string, report func()) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "eth_sendRawTransaction") {
			report()
			<-r.Context().Done()
			return
		}
		answer, err := http.Post(behind, "application/json", strings.NewReader(string(body)))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer answer.Body.Close()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
