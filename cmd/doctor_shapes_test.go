package cmd

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// shapes are worlds as people have them: nodes, files, databases and recipients that differ
// from the plain ones. Some are healthy all the same, and nothing is wrong with them.
func shapes() []sick {
	return append(append(nodeShapes(), localShapes()...), recipientShapes()...)
}

// through puts nodes before the network's.
func (w *ward) through(nodes ...behaviour) {
	w.t.Helper()
	urls := make([]string, len(nodes))
	for i, behave := range nodes {
		urls[i] = fmt.Sprintf("%q", serveNode(w.t, w.net.RPCURL(), behave).URL)
	}
	w.env["PMCTL_NETWORK"] = ""
	w.flags = fmt.Sprintf("--controller %s --chain-id %d", w.net.Controller().Hex(), devnet.ChainID)
	w.config("rpc_urls = [" + strings.Join(urls, ", ") + "]\n")
}

func nodeShapes() []sick {
	through := func(nodes ...behaviour) func(*ward) { return func(w *ward) { w.through(nodes...) } }
	honest := behaviour(func(v *visit) { v.send(v.answers()) })
	return []sick{
		{name: "healthy: node that takes one request at once", induce: through(above(1, says(400, `{"error":"no batches"}`)))},
		{name: "healthy: first of two nodes asks for a password", induce: through(says(401, "Unauthorized"), honest)},
		{name: "healthy: first of two nodes is a web page", induce: through(says(200, "<html>hello</html>"), honest)},
		{name: "node that wants a password", induce: through(says(401, "Unauthorized")),
			want: []string{"node failed"}, exit: exitUnreachable, says: "401"},
		{name: "node whose month is over", induce: func(w *ward) {
			w.through(says(200, `{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"Monthly capacity limit exceeded"}}`))
			w.flags += " --timeout 2s"
		}, want: []string{"node failed"}, exit: exitUnreachable, says: "Monthly capacity limit exceeded"},
		{name: "node that is a web page", induce: through(says(200, "<html>hello</html>")),
			want: []string{"node failed"}, exit: exitUnreachable, says: "--rpc-url"},
		{name: "Arbitrum's node without L1 blocks", induce: func(w *ward) {
			w.arbitrum(0)
			w.env["ETH_RPC_URL"] = serveNode(w.t, w.env["ETH_RPC_URL"], resulting(without("l1BlockNumber"), "eth_getBlockByNumber")).URL
		}, want: []string{"node failed"}, exit: exitUnreachable, says: "l1BlockNumber is missing"},
		{name: "healthy: local network that is rounds ahead", moves: true, induce: func(w *ward) {
			require.NoError(w.t, w.net.NextRound(w.t.Context(), 8))
		}},
		{name: "contracts that changed", induce: func(w *ward) {
			state := w.net.State()
			state.Contracts["TicketBroker"] = common.Address{1}
			text, err := json.Marshal(state)
			require.NoError(w.t, err)
			w.env["PMCTL_DEVNET_STATE"] = w.write("devnet.json", string(text), 0o600)
		}, want: []string{"contracts failed"}, exit: exitLimit, says: "TicketBroker"},
		{name: "nothing deposited", cfg: devnet.Config{UnlockPeriod: 1}, moves: true, induce: func(w *ward) {
			w.run(exitDone, "unlock --yes")
			require.NoError(w.t, w.net.NextRound(w.t.Context(), 1))
			w.run(exitDone, "withdraw --yes")
		}, want: []string{"deposit failed", "reserve failed"}, exit: exitFunds, says: "pmctl fund --deposit"},
	}
}

func localShapes() []sick {
	return []sick{
		{name: "clock that is fast", induce: func(w *ward) { w.clock = func() time.Time { return time.Now().Add(time.Hour) } },
			want: []string{"auth_token failed"}, exit: exitUnacceptable, says: "the clock"},
		{name: "passphrase that is a folder", induce: func(w *ward) { w.env["ETH_PASSWORD"] = w.t.TempDir() },
			want: []string{"passphrase failed"}, exit: exitLocked, says: "ETH_PASSWORD"},
		{name: "key file in UTF-16", induce: func(w *ward) {
			w.name()
			content, err := os.ReadFile(w.keyFile())
			require.NoError(w.t, err)
			wide := []byte{0xff, 0xfe}
			for _, unit := range utf16.Encode([]rune(string(content))) {
				wide = append(wide, byte(unit), byte(unit>>8))
			}
			require.NoError(w.t, os.WriteFile(w.keyFile(), wide, 0o600))
		}, want: []string{"key failed"}, exit: exitLocked, says: "UTF-16"},
		{name: "store in memory", induce: func(w *ward) { w.env["PMCTL_STORE"] = ":memory:" },
			want: []string{"store failed"}, exit: exitUsage, says: "not a valid store location"},
		{name: "store whose database is away", induce: func(w *ward) { w.env["PMCTL_STORE"] = "postgres://pmctl@127.0.0.1:1/pay" },
			want: []string{"store failed"}, exit: exitUnreachable, says: "127.0.0.1"},
		{name: "pooler that shares sessions", induce: func(w *ward) {
			database := server.Database(w.t)
			w.env["PMCTL_STORE"] = database
			w.run(exitDone, "budget")
			w.env["PMCTL_STORE"] = server.Pooler(w.t, database, "transaction")
		}, want: []string{"store failed"}, exit: exitFailed, says: "session"},
		{name: "store without USAGE", induce: func(w *ward) {
			database := server.Database(w.t)
			w.env["PMCTL_STORE"] = database
			w.run(exitDone, "budget")
			role := "doctor_" + filepath.Base(w.home)
			pgtest.Exec(w.t, database, fmt.Sprintf("CREATE ROLE %q LOGIN PASSWORD 'word'", role), "REVOKE ALL ON SCHEMA pmctl FROM PUBLIC")
			u, err := url.Parse(database)
			require.NoError(w.t, err)
			u.User = url.UserPassword(role, "word")
			w.env["PMCTL_STORE"] = u.String()
		}, want: []string{"store failed"}, exit: exitFailed, says: "GRANT"},
	}
}

func recipientShapes() []sick {
	return []sick{
		{name: "HTTP at a URL with TLS", induce: func(w *ward) { w.url = strings.Replace(w.url, "https:", "http:", 1) },
			want: []string{"protocol failed"}, exit: exitUnreachable, says: "use https://"},
		{name: "recipient that is paid at 0.0.0.0", induce: func(w *ward) { w.ail("private-transcoder") },
			want: []string{"params_form failed"}, exit: exitUnacceptable, says: "-serviceAddr"},
		{name: "healthy: recipient that is registered for AI work", moves: true, induce: func(w *ward) {
			require.NoError(w.t, w.net.SetServiceURI(w.t.Context(), w.recipientKey, "https://elsewhere.example:8935"))
		}},
		{name: "recipient in no registry", moves: true, induce: func(w *ward) {
			require.NoError(w.t, w.net.SetServiceURI(w.t.Context(), w.recipientKey, ""))
			require.NoError(w.t, w.net.SetAIServiceURI(w.t.Context(), w.recipientKey, ""))
		}, want: []string{"registry failed"}, exit: exitUnacceptable, says: "none in the service registry"},
		{name: "recipient on another chain", induce: func(w *ward) {
			other, err := devnet.Start(w.t.Context(), devnet.Config{Recipients: 1})
			require.NoError(w.t, err)
			w.t.Cleanup(func() { require.NoError(w.t, other.Close()) })
			give(w.t, other, crypto.PubkeyToAddress(w.net.Accounts()[0].Key.PublicKey))
			w.env["PMCTL_NETWORK"] = ""
			w.run(exitDone, "fund --deposit 0.4eth --reserve 0.4eth --yes --controller "+other.Controller().Hex()+" --chain-id 1337 --rpc-url "+other.RPCURL()+" --store "+filepath.Join(w.t.TempDir(), "there.db"))
			w.env["PMCTL_NETWORK"] = chain.Devnet
			w.url = other.Recipients()[0].State().URL
		}, want: []string{"same_chain failed"}, exit: exitUnacceptable, says: "another chain"},
	}
}
