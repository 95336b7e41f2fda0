package cmd

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/store"
)

// localFaults are those of settings, key and store.
func localFaults() []sick {
	return []sick{
		{name: "config that is no TOML", induce: func(w *ward) { w.config("network = ") },
			want: []string{"config failed"}, exit: exitFailed, says: "config.toml"},
		{name: "config that others can change", induce: func(w *ward) { require.NoError(w.t, os.Chmod(w.config(""), 0o666)) },
			want: []string{"config failed"}, exit: exitFailed, says: "other users can change"},
		{name: "flag that loosens a limit", induce: func(w *ward) {
			w.config("[limits]\nmax_ticket_ev = \"2000gwei\"\n")
			w.flags = "--max-ticket-ev 3000gwei"
		}, want: []string{"limits failed"}, exit: exitLimit, says: "would loosen"},
		{name: "unknown network", induce: func(w *ward) { w.env["PMCTL_NETWORK"] = "nonesuch" },
			want: []string{"network failed"}, exit: exitUsage, says: "nonesuch"},
		{name: "local network that does not run", induce: func(w *ward) { w.env["PMCTL_DEVNET_STATE"] += ".gone" },
			want: []string{"network failed"}, exit: exitUnreachable, says: "no local network is running"},
		{name: "no node", induce: func(w *ward) { w.elsewhere(w.net.Controller(), devnet.ChainID, "") },
			want: []string{"network failed"}, exit: exitUnreachable, says: "--rpc-url"},
		{name: "agent that is not there", induce: func(w *ward) { w.env["PMCTL_AGENT"] = filepath.Join(w.t.TempDir(), "sock") },
			want: []string{"agent failed"}, exit: exitLocked, says: "pmctl agent start"},
		{name: "no account", induce: func(w *ward) { w.flags = "--keystore " + w.t.TempDir() },
			want: []string{"account failed"}, exit: exitLocked, says: "pmctl account new"},
		{name: "several accounts", induce: func(w *ward) {
			key := w.write("key1", hex.EncodeToString(crypto.FromECDSA(w.net.Accounts()[1].Key)), 0o600)
			w.run(exitDone, "account import --lightkdf "+key)
		}, want: []string{"account failed"}, exit: exitLocked, says: "--from ADDRESS"},
		{name: "malformed ETH_FROM", induce: func(w *ward) { w.env["ETH_FROM"] = "0x12" },
			want: []string{"account failed"}, exit: exitUsage, says: "ETH_FROM"},
		{name: "account without a key file", induce: func(w *ward) {
			w.name()
			require.NoError(w.t, os.Remove(w.keyFile()))
		}, want: []string{"key failed"}, exit: exitLocked, says: "pmctl account import"},
		{name: "damaged key file", induce: func(w *ward) {
			w.name()
			require.NoError(w.t, os.Truncate(w.keyFile(), 100))
		}, want: []string{"key failed"}, exit: exitLocked, says: "damaged key file"},
		{name: "key file that others can read", induce: func(w *ward) { require.NoError(w.t, os.Chmod(w.keyFile(), 0o644)) },
			want: []string{"key_mode failed"}, exit: exitFailed, says: "chmod 600"},
		{name: "passphrase file that others can read", induce: func(w *ward) { require.NoError(w.t, os.Chmod(w.env["ETH_PASSWORD"], 0o644)) },
			want: []string{"passphrase failed"}, exit: exitLocked, says: "chmod 600"},
		{name: "passphrase file that is not there", induce: func(w *ward) { require.NoError(w.t, os.Remove(w.env["ETH_PASSWORD"])) },
			want: []string{"passphrase failed"}, exit: exitLocked, says: "ETH_PASSWORD"},
		{name: "no passphrase", induce: func(w *ward) { w.env["ETH_PASSWORD"] = "" },
			want: []string{"passphrase warning"}, exit: exitDone, says: "--passphrase-file"},
		{name: "wrong passphrase", induce: func(w *ward) { w.write("pass", "wrong\n", 0o600) },
			want: []string{"key_opens failed"}, exit: exitLocked, says: "wrong passphrase"},
		{name: "damaged store", induce: func(w *ward) {
			require.NoError(w.t, os.WriteFile(w.storePath(), []byte(strings.Repeat("no database ", 1000)), 0o600))
		}, want: []string{"store failed"}, exit: exitFailed, says: "store.db"},
		{name: "copied store", induce: func(w *ward) {
			content, err := os.ReadFile(w.storePath())
			require.NoError(w.t, err)
			w.env["PMCTL_STORE"] = w.write("copy/store.db", string(content), 0o600)
		}, want: []string{"store warning"}, exit: exitDone, says: "it was at"},
		{name: "budget that is spent", induce: func(w *ward) {
			w.run(exitDone, "pay "+w.url+" --value 1wei")
			w.config("[budget]\nev_per_day = \"1gwei\"\n")
		}, want: []string{"budget failed"}, exit: exitLimit, says: "ev_per_day"},
		{name: "transaction that is not mined", alone: true, moves: true, induce: func(w *ward) {
			require.NoError(w.t, w.net.SetAutomine(w.t.Context(), false))
			w.run(exitDone, "fund --deposit 1gwei --yes --no-wait")
		}, want: []string{"transactions failed"}, exit: exitNotMined, says: "pmctl tx wait 0x"},
	}
}

// chainFaults are those of the node, the contracts and the sender's funds.
func chainFaults() []sick {
	return []sick{
		{name: "node that is down", induce: func(w *ward) { w.flags = "--rpc-url http://127.0.0.1:1" },
			want: []string{"node failed"}, exit: exitUnreachable, says: "--rpc-url"},
		{name: "node that is no node", induce: func(w *ward) { w.flags = "--rpc-url " + w.net.Recipients()[0].State().PlainURL },
			want: []string{"node failed"}, exit: exitUnreachable, says: "HTTP status"},
		{name: "another chain", induce: func(w *ward) { w.elsewhere(w.net.Controller(), 5, w.net.RPCURL()) },
			want: []string{"chain_id failed"}, exit: exitFailed, says: "1337"},
		{name: "no contract", induce: func(w *ward) { w.elsewhere(common.Address{1}, devnet.ChainID, w.net.RPCURL()) },
			want: []string{"contracts failed"}, exit: exitFailed, says: "no code"},
		{name: "registry without TicketBroker", moves: true, induce: func(w *ward) {
			require.NoError(w.t, w.net.Register(w.t.Context(), "TicketBroker", common.Address{}))
		}, want: []string{"contracts failed"}, exit: exitFailed, says: "has no TicketBroker registered"},
		{name: "node that has fallen behind", induce: func(w *ward) { w.arbitrum(time.Hour) },
			want: []string{"head failed"}, exit: exitUnreachable, says: "at most 3m"},
		{name: "slow clock", induce: func(w *ward) { w.arbitrum(-time.Hour) },
			want: []string{"clock failed"}, exit: exitFailed, says: "set the clock"},
		{name: "paused contracts", moves: true, induce: func(w *ward) { require.NoError(w.t, w.net.SetPaused(w.t.Context(), true)) },
			want: []string{"paused failed"}, exit: exitFailed, says: "paused"},
		{name: "round that is not initialized", moves: true, induce: func(w *ward) {
			w.net.SetKeepRounds(false)
			require.NoError(w.t, w.net.Mine(w.t.Context(), devnet.DefaultRoundLength))
		}, want: []string{"round warning"}, exit: exitDone, says: "initializeRound"},
		{name: "no ether for gas", moves: true, induce: (*ward).poor,
			want: []string{"balance failed"}, exit: exitFunds, says: "at least"},
		{name: "gas above a limit", induce: func(w *ward) { w.config("[limits]\nmax_gas_price = \"1wei\"\n") },
			want: []string{"gas_price failed"}, exit: exitLimit, says: "max_gas_price"},
		{name: "no deposit", fund: "fund --reserve 1eth", moves: true,
			want: []string{"deposit failed"}, exit: exitFunds, says: "pmctl fund --deposit"},
		{name: "no reserve", fund: "fund --deposit 1eth", moves: true,
			want: []string{"reserve failed"}, exit: exitFunds, says: "pmctl fund --reserve"},
		{name: "funds that are about to be withdrawn", moves: true, cfg: devnet.Config{UnlockPeriod: 1}, induce: func(w *ward) { w.run(exitDone, "unlock --yes") },
			want: []string{"lock failed"}, exit: exitUnacceptable, says: "pmctl unlock cancel"},
		{name: "funds that unlock later", moves: true, induce: func(w *ward) { w.run(exitDone, "unlock --yes") },
			want: []string{"lock warning"}, exit: exitDone, says: "pmctl unlock cancel"},
	}
}

// recipientFaults are those of who answers at a URL, and of what it offers.
func recipientFaults() []sick {
	ails := func(fault string) func(*ward) { return func(w *ward) { w.ail(fault) } }
	cases := []sick{
		{name: "nothing listens at the URL", induce: func(w *ward) { w.url = "https://127.0.0.1:1" },
			want: []string{"recipient failed"}, exit: exitUnreachable, says: "refused"},
		{name: "no TLS at the URL", induce: func(w *ward) {
			w.url = strings.Replace(w.net.Recipients()[0].State().PlainURL, "http:", "https:", 1)
		}, want: []string{"recipient failed"}, exit: exitUnreachable, says: "http://"},
		{name: "recipient that hangs", induce: func(w *ward) {
			w.ail("hang")
			w.flags = "--timeout 2s"
		}, want: []string{"recipient failed"}, exit: exitUnreachable, says: "no answer within 2s"},
		{name: "web server at the URL", induce: ails("not-grpc"),
			want: []string{"protocol failed"}, exit: exitUnreachable, says: "gRPC"},
		{name: "recipient that the registry has elsewhere", induce: ails("other-recipient"),
			want: []string{"registry failed"}, exit: exitUnacceptable, says: "none in the service registry"},
		{name: "registry with another URL", moves: true, induce: func(w *ward) {
			require.NoError(w.t, w.net.SetAIServiceURI(w.t.Context(), w.recipientKey, ""))
			require.NoError(w.t, w.net.SetServiceURI(w.t.Context(), w.recipientKey, "https://elsewhere.example:8935"))
		}, want: []string{"registry failed"}, exit: exitUnacceptable, says: "https://elsewhere.example:8935"},
		{name: "registry with a URL without end", moves: true, induce: func(w *ward) {
			require.NoError(w.t, w.net.SetAIServiceURI(w.t.Context(), w.recipientKey, ""))
			require.NoError(w.t, w.net.SetServiceURI(w.t.Context(), w.recipientKey, "https://"+strings.Repeat("long.", 60)+"example:8935"))
		}, want: []string{"registry failed"}, exit: exitUnacceptable, says: "https://long.long.", brief: true},
		{name: "registries with other URLs", moves: true, induce: func(w *ward) {
			require.NoError(w.t, w.net.SetServiceURI(w.t.Context(), w.recipientKey, "https://elsewhere.example:8935"))
			require.NoError(w.t, w.net.SetAIServiceURI(w.t.Context(), w.recipientKey, "https://ai.example:8935"))
		}, want: []string{"registry failed"}, exit: exitUnacceptable, says: "https://elsewhere.example:8935, and for AI work https://ai.example:8935"},
		{name: "recipient that is not active", moves: true, cfg: devnet.Config{Recipients: 2}, induce: func(w *ward) {
			require.NoError(w.t, w.net.DeactivateTranscoder(w.t.Context(), w.net.Recipients()[0].State().Address))
		}, want: []string{"active failed"}, exit: exitUnacceptable, says: "pmctl recipient list"},
		{name: "another address was paid there", induce: func(w *ward) {
			w.open(func(c *store.Chain) {
				_, err := c.PinRecipients(w.t.Context(), w.me(), []store.Pin{{URL: w.url, Recipient: common.Address{7}}}, []common.Address{{7}})
				require.NoError(w.t, err)
			})
		}, want: []string{"pin failed"}, exit: exitLimit, says: "--recipient"},
		{name: "recipient that is not allowed", induce: func(w *ward) { w.flags = "--recipient " + w.me().Hex() },
			want: []string{"allowed failed"}, exit: exitLimit, says: "--recipient"},
		{name: "expired params", induce: ails("expired"),
			want: []string{"expiry failed"}, exit: exitUnacceptable, says: "L1 block"},
		{name: "EV not below the face value", induce: ails("ev-not-below-face"),
			want: []string{"ev_below_face failed"}, exit: exitUnacceptable, says: "-ticketEV"},
		{name: "ticket EV above the default limit", induce: ails("expensive-ev"),
			want: []string{"ticket_ev failed"}, exit: exitLimit, says: "at most 3000 gwei"},
		{name: "total EV above a limit", induce: func(w *ward) { w.flags = "--max-total-ev 10gwei" },
			want: []string{"total_ev failed"}, exit: exitLimit, says: "-ticketEV"},
		{name: "face value above a limit", induce: func(w *ward) { w.flags = "--max-face-value 10gwei" },
			want: []string{"face_value failed"}, exit: exitLimit, says: "-maxFaceValue"},
		{name: "face value above the deposit", induce: ails("face-value-too-high"),
			want: []string{"ticket_pace warning", "deposit_cover failed"}, exit: exitFunds, says: "pmctl fund --deposit"},
		{name: "margin that the deposit does not have", induce: func(w *ward) { w.flags = "--deposit-multiplier 1000000" },
			want: []string{"deposit_cover failed"}, exit: exitLimit, says: "--deposit-multiplier"},
		{name: "ticket above what the budget has left", induce: func(w *ward) { w.config("[budget]\nev_per_day = \"1gwei\"\n") },
			want: []string{"offer_budget failed"}, exit: exitLimit, says: "ev_per_day"},
		{name: "reserve below the EV", fund: "fund --deposit 1eth --reserve 1gwei", moves: true,
			want: []string{"max_float failed"}, exit: exitFunds, says: "below the EV"},
		{name: "reserve below the redemption cost", fund: "fund --deposit 1eth --reserve 20gwei", moves: true,
			want: []string{"max_float failed"}, exit: exitFunds, says: "below the redemption cost"},
		{name: "EV too small for the price", induce: func(w *ward) { w.price("live1", 25_000_000_000_000, 486_111_111_111) },
			want: []string{"ticket_pace warning"}, exit: exitDone, says: "(echo/live): 125 tickets for a payment of 5 s, which has at most 100; the 600 tickets"},
		{name: "EV too large for the price", induce: func(w *ward) { w.price("lv1", 1, 5023) },
			want: []string{"ticket_pace warning"}, exit: exitDone, says: "(echo/lv2v): one ticket pays for 10 h"},
		{name: "no price", induce: ails("no-price"),
			want: []string{"price warning"}, exit: exitDone, says: "-pricePerUnit"},
		{name: "auth token that is missing", induce: ails("no-auth-token"),
			want: []string{"auth_token failed"}, exit: exitUnacceptable, says: "auth_token"},
	}
	for _, fault := range []string{"garbage", "huge", "long-integer", "short-address", "short-hash", "no-params"} {
		cases = append(cases, sick{name: "malformed answer: " + fault, induce: ails(fault),
			want: []string{"params_form failed"}, exit: exitUnacceptable, says: "pmctl recipient list"})
	}
	return cases
}
