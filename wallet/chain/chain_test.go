package chain_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/internal/nodes"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// start starts a local network and a client of it.
func start(t *testing.T, cfg devnet.Config) (*devnet.Devnet, *chain.Client) {
	t.Helper()
	cfg.Accounts = 3
	d, err := devnet.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d, dial(t, d.RPCURL(), network(d))
}

func network(d *devnet.Devnet) chain.Network {
	return chain.Network{Name: chain.Devnet, ChainID: d.ChainID().Uint64(), Controller: d.Controller()}
}

func dial(t *testing.T, url string, network chain.Network) *chain.Client {
	t.Helper()
	client, err := chain.Dial(t.Context(), url, network)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// account is a funded account that sends through the client.
func account(t *testing.T, d *devnet.Devnet, client *chain.Client, i int) (*devnet.Sender, common.Address) {
	t.Helper()
	key := key(t, d, i)
	return devnet.NewSender(client, key), key.Address()
}

func key(t *testing.T, d *devnet.Devnet, i int) signer.Local {
	t.Helper()
	s, err := signer.RawKey([]byte(common.Bytes2Hex(crypto.FromECDSA(d.Accounts()[i].Key))))
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func ether(t *testing.T, text string) *big.Int {
	amount, err := wei.Parse(text)
	require.NoError(t, err)
	return amount.Big()
}

func TestHead(t *testing.T) {
	for _, c := range []struct {
		name   string
		cfg    devnet.Config
		offset uint64
	}{
		{"plain", devnet.Config{}, 0},
		{"arbitrum, hex text", devnet.Config{Arbitrum: true, L1Numbers: "hex"}, devnet.ArbitrumL1Offset},
		{"arbitrum, JSON number", devnet.Config{Arbitrum: true, L1Numbers: "number"}, devnet.ArbitrumL1Offset},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, client := start(t, c.cfg)
			require.NoError(t, d.Mine(t.Context(), 5))
			head, err := client.Head(t.Context())
			require.NoError(t, err)
			require.GreaterOrEqual(t, head.Number, uint64(5))
			require.Equal(t, head.Number+c.offset, head.L1Block)

			// A sender's checks use the L1 block.
			facts, err := client.Facts(t.Context(), common.Address{1})
			require.NoError(t, err)
			require.Equal(t, head.L1Block, facts.LastSeenL1Block.Uint64())
			require.NotEqual(t, [32]byte{}, facts.LastInitializedL1BlockHash)
		})
	}
}

func TestStatusFollowsTheBroker(t *testing.T) {
	d, client := start(t, devnet.Config{UnlockPeriod: 2})
	acts, who := account(t, d, client, 0)
	broker, err := chain.NewBroker(t.Context(), client, acts)
	require.NoError(t, err)
	done := func(tx *types.Transaction, err error) {
		t.Helper()
		require.NoError(t, err)
		require.NoError(t, broker.CheckTx(tx))
	}

	status, err := client.Status(t.Context(), who)
	require.NoError(t, err)
	require.False(t, status.Sender.Funded())

	done(broker.FundDeposit(ether(t, "1eth")))
	done(broker.FundReserve(ether(t, "2eth")))
	done(broker.FundDepositAndReserve(ether(t, "10gwei"), ether(t, "20gwei")))
	status, err = client.Status(t.Context(), who)
	require.NoError(t, err)
	require.Equal(t, "1000000010000000000", status.Sender.Deposit.Decimal())
	require.Equal(t, "2000000020000000000", status.Sender.Reserve.Decimal())
	require.False(t, status.Sender.Unlocking())
	require.Equal(t, "2", status.UnlockPeriod.String())

	done(broker.Unlock())
	_, err = broker.Unlock()
	require.ErrorIs(t, err, contract.ErrUnlocking)
	status, err = client.Status(t.Context(), who)
	require.NoError(t, err)
	require.True(t, status.Sender.Unlocking())
	_, err = broker.Withdraw()
	require.ErrorIs(t, err, contract.ErrLocked)
	done(broker.CancelUnlock())
	_, err = broker.CancelUnlock()
	require.ErrorIs(t, err, contract.ErrNotUnlocking)
	done(broker.Unlock())
	require.NoError(t, d.NextRound(t.Context(), 2))
	done(broker.Withdraw())
	_, err = broker.Withdraw()
	require.ErrorIs(t, err, contract.ErrNoFunds)

	require.NoError(t, d.SetPaused(t.Context(), true))
	_, err = broker.FundDeposit(big.NewInt(1))
	require.ErrorIs(t, err, contract.ErrPaused)
	status, err = client.Status(t.Context(), who)
	require.NoError(t, err)
	require.True(t, status.Paused)
}

func TestWatcher(t *testing.T) {
	d, client := start(t, devnet.Config{RoundLength: 20})
	acts, who := account(t, d, client, 0)
	broker, err := chain.NewBroker(t.Context(), client, acts)
	require.NoError(t, err)
	watcher, err := chain.Watch(t.Context(), client, 10*time.Millisecond)
	require.NoError(t, err)
	defer watcher.Close()

	blocks := make(chan *big.Int)
	rounds := make(chan types.Log)
	changes := make(chan common.Address)
	defer watcher.SubscribeL1Blocks(blocks).Unsubscribe()
	defer watcher.SubscribeRounds(rounds).Unsubscribe()
	defer watcher.SubscribeReserveChange(changes).Unsubscribe()
	// A subscriber that never reads blocks no other.
	defer watcher.SubscribeRounds(make(chan types.Log)).Unsubscribe()

	info, err := watcher.GetSenderInfo(who)
	require.NoError(t, err)
	require.Zero(t, info.Deposit.Sign())
	info.Deposit.SetInt64(5) // the caller's own
	first := watcher.LastInitializedRound()

	_, err = broker.FundDeposit(ether(t, "1eth"))
	require.NoError(t, err)
	require.Equal(t, who, receive(t, changes))
	info, err = watcher.GetSenderInfo(who)
	require.NoError(t, err)
	require.Equal(t, ether(t, "1eth"), info.Deposit)

	require.NoError(t, d.NextRound(t.Context(), 1))
	log := receive(t, rounds)
	require.Equal(t, new(big.Int).Add(first, big.NewInt(1)), log.Topics[1].Big())
	require.Equal(t, log.Topics[1].Big(), watcher.LastInitializedRound())
	require.NotEqual(t, watcher.LastInitializedL1BlockHash(), watcher.PreLastInitializedL1BlockHash())
	require.Equal(t, [32]byte(log.Data), watcher.LastInitializedL1BlockHash())

	seen := receive(t, blocks)
	require.NoError(t, d.Mine(t.Context(), 3))
	require.Equal(t, 1, receive(t, blocks).Cmp(seen))
	require.Zero(t, watcher.GetTranscoderPoolSize().Sign())
	active, err := watcher.IsActive(who, nil)
	require.NoError(t, err)
	require.False(t, active)
	claimed, err := watcher.ClaimedReserve(who, who)
	require.NoError(t, err)
	require.Zero(t, claimed.Sign())
}

// receive waits for a value, bounded by the test's own deadline.
func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(2 * time.Minute): // longer than a watcher waits between its attempts
		t.Fatal("no value")
		panic("unreachable")
	}
}

func TestWatcherLeavesNothingBehind(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	core.SenderCacher() // goroutines that the node starts once and never ends
	before := goleak.IgnoreCurrent()
	client, err := chain.Dial(t.Context(), d.RPCURL(), network(d))
	require.NoError(t, err)
	watcher, err := chain.Watch(t.Context(), client, time.Millisecond)
	require.NoError(t, err)
	sub := watcher.SubscribeL1Blocks(make(chan *big.Int))
	require.NoError(t, d.Mine(t.Context(), 3))
	sub.Unsubscribe()
	watcher.Close()
	client.Close()
	// The server keeps data of closed connections.
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("net/http.(*conn).serve"))
}

func TestWrongNetworks(t *testing.T) {
	d, _ := start(t, devnet.Config{})

	other := network(d)
	other.ChainID = 42161
	_, err := dial(t, d.RPCURL(), other).Contracts(t.Context())
	var id *chain.ChainIDError
	require.ErrorAs(t, err, &id)
	require.EqualValues(t, devnet.ChainID, id.Got)

	other = network(d)
	other.Controller = common.HexToAddress("0x00000000000000000000000000000000000000aa")
	_, err = dial(t, d.RPCURL(), other).Contracts(t.Context())
	require.ErrorContains(t, err, "there is no Controller contract at "+other.Controller.Hex())

	// A contract that is not a controller reverts getContract.
	other.Controller = d.Contracts()["Minter"]
	_, err = dial(t, d.RPCURL(), other).Contracts(t.Context())
	require.Error(t, err)
}

// TestUnreachable: every way in which a node can fail to answer ends as the same sentinel, and
// none shows the key in the URL.
func TestUnreachable(t *testing.T) {
	serve := func(handler http.HandlerFunc) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	answer := func(body string) string {
		return serve(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, body) })
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, url := range map[string]string{
		"no listener": closed.URL,
		"not JSON":    answer("<html>hello</html>"),
		"empty":       answer(""),
		"truncated":   answer(`[{"jsonrpc":"2.0","id":1,"resu`),
		"empty batch": answer(`[]`),
		"an object":   answer(`{"hello":"world"}`),
		"429":         serve(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }),
		"redirect": serve(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}),
		"silent": serve(func(w http.ResponseWriter, r *http.Request) {
			// The server notices the end of the client only once it has read the request.
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := dial(t, url+"/v2/verysecretkey?apikey=verysecretkey", chain.Network{Name: "test", ChainID: 1}).Contracts(ctx)
			require.ErrorIs(t, err, chain.ErrUnreachable)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

// TestHeadRefusesNonsense gives the parser answers that no node should send.
func TestHeadRefusesNonsense(t *testing.T) {
	for _, block := range []string{
		`null`, `{}`, `"0x1"`, `{"number":"1"}`, `{"number":"0x1","l1BlockNumber":"0x"}`, `{"number":"0x1","l1BlockNumber":-1}`,
		`{"number":"0x1","l1BlockNumber":1.5}`, `{"number":"0x1","l1BlockNumber":1e3}`, `{"number":"0x1","l1BlockNumber":{}}`,
		`{"number":"0x1","l1BlockNumber":"12"}`, `{"number":"0x11111111111111111"}`, `{"number":"0x1","timestamp":null}`,
		`{"number":"0x1","hash":null}`, `{"number":"0x-1"}`, `{"number":"0x1_0"}`, `{"number":"0x"}`,
	} {
		if !strings.Contains(block, "null") {
			block = strings.Replace(block, `{"number"`, `{"hash":"0x`+strings.Repeat("ab", 32)+`","timestamp":"0x1","number"`, 1)
		}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var req struct{ ID json.RawMessage }
			assert.NoError(t, json.NewDecoder(r.Body).Decode(&req))
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, req.ID, block)
		}))
		_, err := dial(t, server.URL, chain.Network{}).Head(t.Context())
		require.ErrorIs(t, err, chain.ErrUnreachable, block)
		server.Close()
	}
}

func TestBadURLs(t *testing.T) {
	for _, url := range []string{"", "localhost:8545", "/tmp/geth.ipc", "ftp://host", "http://", "://"} {
		_, err := chain.Dial(t.Context(), url, chain.Network{})
		require.ErrorIs(t, err, nodes.ErrBadURL, url)
	}
}

func TestFactsJudgeByTheL1Block(t *testing.T) {
	d, client := start(t, devnet.Config{Arbitrum: true})
	acts, who := account(t, d, client, 0)
	broker, err := chain.NewBroker(t.Context(), client, acts)
	require.NoError(t, err)
	_, err = broker.FundDepositAndReserve(ether(t, "1eth"), ether(t, "1eth"))
	require.NoError(t, err)
	head, err := client.Head(t.Context())
	require.NoError(t, err)
	facts, err := client.Facts(t.Context(), who)
	require.NoError(t, err)
	params := &pm.TicketParams{
		Recipient: common.Address{1}, FaceValue: ether(t, "4000gwei"), WinProb: new(big.Int).Lsh(big.NewInt(1), 254),
		RecipientRandHash: common.Hash{1}, Seed: big.NewInt(1), PricePerPixel: big.NewRat(1, 1),
	}
	// Fresh by the L1 block, and 300,000,000 blocks in the future by the L2 block.
	params.ExpirationBlock = new(big.Int).SetUint64(head.L1Block + 40)
	require.NoError(t, pm.DefaultLimits().Check(params, facts, 1))
	// Expired by the L1 block; by the L2 block it would be fresh.
	params.ExpirationBlock = new(big.Int).SetUint64(head.L1Block)
	require.ErrorIs(t, pm.DefaultLimits().Check(params, facts, 1), pm.ErrTicketParamsExpired)
}
