package wallet_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/topup"
	"github.com/pmctl/pmctl/wallet/wei"
)

// rich is a local network, and wallets of its accounts that share a store.
type rich struct {
	*devnet.Devnet
	t     *testing.T
	store string
	nodes []string
	rules topup.Rules

	// machines are the folders of two machines that share the store.
	machines [2]string
}

func newRich(t *testing.T, rules map[string]string) *rich {
	t.Helper()
	d, err := devnet.Start(t.Context(), devnet.Config{UnlockPeriod: 1, RoundLength: 5})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	r := &rich{Devnet: d, t: t, store: filepath.Join(t.TempDir(), "pay.db"), nodes: []string{d.RPCURL()}, machines: [2]string{t.TempDir(), t.TempDir()}}
	r.rules = r.read(rules)
	return r
}

func (r *rich) read(texts map[string]string) topup.Rules {
	r.t.Helper()
	rules, _, err := topup.Read(texts, map[string]string{"max_per_day": "5eth", "max_total": "9eth"})
	require.NoError(r.t, err)
	return rules
}

// config is that of the wallet of an account on the first machine.
func (r *rich) config(account int) wallet.Config {
	r.t.Helper()
	state := r.Devnet.State()
	key, err := signer.RawKey([]byte(hex.EncodeToString(crypto.FromECDSA(r.Accounts()[account].Key))))
	require.NoError(r.t, err)
	return wallet.Config{
		Network: state.Network(), Nodes: r.nodes, Store: r.store, DatabasesDir: r.machines[0], Limits: policy.Default(),
		Account: signer.Opened(key, ""),
	}
}

// open returns the wallet of an account, to be closed by the caller.
func (r *rich) open(account int) *wallet.Wallet {
	r.t.Helper()
	w, err := wallet.Open(r.t.Context(), r.config(account))
	require.NoError(r.t, err)
	return w
}

// keep looks once, from an account, at the funds of account 0.
func (r *rich) keep(account int) (wallet.TopUp, error) {
	w := r.open(account)
	defer w.Close()
	return w.KeepFunded(r.t.Context(), wallet.KeepOptions{Sender: r.Accounts()[0].Address, Rules: r.rules})
}

func (r *rich) do(action wallet.Action) {
	r.t.Helper()
	w := r.open(0)
	defer w.Close()
	_, err := w.Do(r.t.Context(), action, wallet.SendOptions{Agreed: true})
	require.NoError(r.t, err)
}

func (r *rich) fund(deposit wei.Wei) {
	r.t.Helper()
	w := r.open(0)
	defer w.Close()
	_, err := w.Fund(r.t.Context(), wallet.Funding{Deposit: deposit}, wallet.SendOptions{Agreed: true})
	require.NoError(r.t, err)
}

// requireFunds compares account 0's funds.
func (r *rich) requireFunds(deposit, reserve string) {
	r.t.Helper()
	state := r.Devnet.State()
	status, err := wallet.OpenReader(r.t.Context(), wallet.Config{Network: state.Network(), Nodes: []string{r.RPCURL()}, Store: r.store, DatabasesDir: r.machines[0]}, r.Accounts()[0].Address)
	require.NoError(r.t, err)
	defer status.Close()
	got, err := status.Status(r.t.Context(), check.Wanted{})
	require.NoError(r.t, err)
	require.Equal(r.t, []string{deposit, reserve}, []string{got.Sender.Deposit.String(), got.Sender.Reserve.String()})
}

// TestKeepFunded keeps an account's funds from itself, and from a second account, and never during
// an unlock or after a withdrawal.
func TestKeepFunded(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth", "reserve": "0.5eth", "step": "0.25eth"})
	done, err := r.keep(0)
	require.NoError(t, err)
	require.Equal(t, wallet.TopUpFunded, done.Outcome)
	require.True(t, done.Transaction.Mined)
	r.requireFunds("1 ETH", "0.5 ETH")
	done, err = r.keep(0)
	require.NoError(t, err)
	require.Equal(t, wallet.TopUpEnough, done.Outcome)
	require.Equal(t, "1.5 ETH", done.Funds.MovedTotal.String())

	r.rules = r.read(map[string]string{"deposit": "1.1eth"})
	done, err = r.keep(1)
	require.NoError(t, err)
	require.Equal(t, r.Accounts()[1].Address, common.Address(done.Payer))
	require.Equal(t, "0 wei", done.Funds.MovedTotal.String(), "each account has its own ceilings")
	r.requireFunds("1.1 ETH", "0.5 ETH")

	r.rules = r.read(map[string]string{"deposit": "2eth"})
	for _, leave := range []wallet.Action{wallet.Unlock(), wallet.Withdraw()} {
		r.do(leave)
		for account := range 2 {
			done, err = r.keep(account)
			require.Equal(t, wallet.ClassUnlocking, wallet.ClassOf(err))
			require.Equal(t, wallet.TopUpCannot, done.Outcome)
			require.Empty(t, done.RequestID)
		}
		require.NoError(t, r.NextRound(t.Context(), 2))
	}
	require.Equal(t, string(topup.Withdrawn), done.Reason)
	r.requireFunds("0 wei", "0 wei")
}

// TestKeptFundsAreBounded reaches both ceilings.
func TestKeptFundsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "7eth", "reserve": "1eth"})
	done, err := r.keep(0)
	require.ErrorContains(t, err, "the deposit is 0 wei and needs 7 ETH, but pmctl can add only a part: top-ups have moved 0 wei today, at most 5 ETH is allowed (max_per_day)")
	require.Equal(t, wallet.ClassLimit, wallet.ClassOf(err))
	require.Equal(t, wallet.TopUpFunded, done.Outcome)
	r.requireFunds("4 ETH", "1 ETH")
	done, err = r.keep(0)
	require.ErrorAs(t, err, new(*topup.ShortError))
	require.Equal(t, string(topup.MaxPerDay), done.Reason)
	r.requireFunds("4 ETH", "1 ETH")
	most, err := wei.Parse("900eth")
	require.NoError(t, err)
	r.rules.MaxPerDay, r.rules.Deposit = &most, &most
	_, err = r.keep(0)
	require.ErrorContains(t, err, "is allowed (max_total)")
	r.requireFunds("8 ETH", "1 ETH")
}

// TestKeepersAtOnce has four runs look at the same time: one top-up is sent.
func TestKeepersAtOnce(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth"})
	var group errgroup.Group
	for range 4 {
		w := r.open(0)
		group.Go(func() error {
			defer w.Close()
			_, err := w.KeepFunded(t.Context(), wallet.KeepOptions{Rules: r.rules})
			return err
		})
	}
	require.NoError(t, group.Wait())
	r.requireFunds("1 ETH", "0 wei")
}

// keepThrough lets a run of an account look through a node that answers transactions with answer.
func (r *rich) keepThrough(ctx context.Context, account int, answer http.HandlerFunc) error {
	r.t.Helper()
	defer r.through(answer)()
	w := r.open(account)
	defer w.Close()
	_, err := w.KeepFunded(ctx, wallet.KeepOptions{Sender: r.Accounts()[0].Address, Rules: r.rules})
	return err
}

// through has wallets use a node that answers transactions with answer, until direct is called.
func (r *rich) through(answer http.HandlerFunc) (direct func()) {
	r.t.Helper()
	behind, err := url.Parse(r.RPCURL())
	require.NoError(r.t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	node := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		body, _ := io.ReadAll(in.Body)
		in.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte("eth_sendRawTransaction")) {
			answer(out, in)
			return
		}
		proxy.ServeHTTP(out, in)
	}))
	r.nodes = []string{node.URL}
	return func() {
		node.Close()
		r.nodes = []string{r.RPCURL()}
	}
}

// killedBeforeSending ends a run of an account when it is about to send.
func (r *rich) killedBeforeSending(account int) {
	r.t.Helper()
	ctx, kill := context.WithCancel(r.t.Context())
	err := r.keepThrough(ctx, account, func(http.ResponseWriter, *http.Request) {
		kill()
		panic(http.ErrAbortHandler)
	})
	require.Error(r.t, err)
	require.Error(r.t, ctx.Err())
}

// refused lets the node of an account's run refuse its top-up.
func (r *rich) refused(account int) {
	r.t.Helper()
	require.Equal(r.t, wallet.ClassRefused, wallet.ClassOf(r.keepThrough(r.t.Context(), account, r.refuse)))
}

// refuse answers a transaction as a node does that takes none.
func (r *rich) refuse(out http.ResponseWriter, in *http.Request) {
	var call struct {
		ID json.RawMessage `json:"id"`
	}
	require.NoError(r.t, json.NewDecoder(in.Body).Decode(&call))
	fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32000,"message":"tx fee exceeds the configured cap"}}`, call.ID)
}

// TestAKeeperKilledBetweenSigningAndSending ends a run when it is about to send: the next run sends
// the same transaction, and no second one.
func TestAKeeperKilledBetweenSigningAndSending(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth"})
	r.killedBeforeSending(0)
	r.requireFunds("0 wei", "0 wei")

	done, err := r.keep(0)
	require.NoError(t, err)
	require.True(t, done.Resumed)
	r.requireFunds("1 ETH", "0 wei")
	done, err = r.keep(0)
	require.NoError(t, err)
	require.Equal(t, wallet.TopUpEnough, done.Outcome)
}

// TestAKilledTopUpIsNotSentToLeavingFunds signs a top-up from a second account, and unlocks and
// withdraws before it is sent: it is sent only once the account has funds again.
func TestAKilledTopUpIsNotSentToLeavingFunds(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth"})
	r.fund(*r.rules.Deposit)
	r.rules = r.read(map[string]string{"deposit": "2eth"})
	r.killedBeforeSending(1)
	for _, leave := range []wallet.Action{wallet.Unlock(), wallet.Withdraw()} {
		r.do(leave)
		done, err := r.keep(1)
		require.Equal(t, wallet.ClassUnlocking, wallet.ClassOf(err))
		require.Equal(t, wallet.TopUpCannot, done.Outcome)
		require.Empty(t, done.RequestID)
		require.NoError(t, r.NextRound(t.Context(), 2))
	}
	r.requireFunds("0 wei", "0 wei")

	r.fund(*r.rules.Deposit)
	done, err := r.keep(1)
	require.NoError(t, err)
	require.True(t, done.Resumed)
	r.requireFunds("3 ETH", "0 wei")
}

// TestARefusedTopUpThatIsNoLongerNeeded is not sent, and keeps back no other one.
func TestARefusedTopUpThatIsNoLongerNeeded(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth"})
	r.refused(1)
	r.fund(*r.rules.Deposit)
	done, err := r.keep(1)
	require.NoError(t, err)
	require.Equal(t, wallet.TopUpEnough, done.Outcome)
	require.Equal(t, "1 ETH", done.Funds.MovedTotal.String(), "a node may have taken it all the same")

	r.rules = r.read(map[string]string{"deposit": "1eth", "reserve": "0.5eth"})
	done, err = r.keep(1)
	require.NoError(t, err)
	require.False(t, done.Resumed)
	r.requireFunds("1 ETH", "0.5 ETH")

	done, err = r.keep(1)
	require.NoError(t, err)
	require.Equal(t, "0.5 ETH", done.Funds.MovedTotal.String(), "the second has the nonce of the first, which nothing can take any more")
	require.NoError(t, r.Reorg(t.Context(), 1))
	w := r.open(1)
	defer w.Close()
	done, err = w.KeepFunded(t.Context(), wallet.KeepOptions{Sender: r.Accounts()[0].Address, Rules: r.rules, DryRun: true})
	require.NoError(t, err)
	require.Equal(t, "1.5 ETH", done.Funds.MovedTotal.String(), "the nonce is free again")
}

// TestATopUpWhoseNonceAnotherWalletUsed moved nothing, and uses up no ceiling.
func TestATopUpWhoseNonceAnotherWalletUsed(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth", "max_total": "1eth", "max_per_day": "1eth"})
	r.killedBeforeSending(1)
	own := r.store
	r.store = filepath.Join(t.TempDir(), "other.db")
	w := r.open(1)
	defer w.Close()
	_, err := w.Fund(t.Context(), wallet.Funding{Reserve: *r.rules.Deposit}, wallet.SendOptions{Agreed: true})
	require.NoError(t, err)
	r.store = own

	_, err = r.keep(1)
	require.ErrorContains(t, err, "another transaction of the account")
	r.requireFunds("0 wei", "0 wei")
	done, err := r.keep(1)
	require.NoError(t, err)
	require.False(t, done.Resumed)
	r.requireFunds("1 ETH", "0 wei")

	// Its own command sends it with another nonce, also with a key that is opened once.
	w = r.open(1)
	defer w.Close()
	sender := r.Accounts()[0].Address
	_, err = w.Fund(t.Context(), wallet.Funding{Deposit: *r.rules.Deposit, Beneficiary: sender}, wallet.SendOptions{RequestID: "fund auto " + sender.Hex() + " 1", Agreed: true})
	require.NoError(t, err)
	r.requireFunds("2 ETH", "0 wei")
}

// TestATopUpWhoseBlockIsReplaced is sent again by the next look, with those before it.
func TestATopUpWhoseBlockIsReplaced(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth"})
	for _, deposit := range []string{"1eth", "1.5eth"} {
		r.rules = r.read(map[string]string{"deposit": deposit})
		_, err := r.keep(1)
		require.NoError(t, err)
	}
	require.NoError(t, r.Reorg(t.Context(), 2))
	r.requireFunds("0 wei", "0 wei")
	for _, deposit := range []string{"1 ETH", "1.5 ETH"} {
		done, err := r.keep(1)
		require.NoError(t, err)
		require.True(t, done.Resumed)
		r.requireFunds(deposit, "0 wei")
	}
	done, err := r.keep(1)
	require.NoError(t, err)
	require.Equal(t, wallet.TopUpEnough, done.Outcome)
}

// TestACancelledTopUpWhoseBlockIsReplaced: it may take effect again, and holds its nonce before the next
// one, so the next look cancels it again.
func TestACancelledTopUpWhoseBlockIsReplaced(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth"})
	r.killedBeforeSending(0)
	w := r.open(0)
	defer w.Close()
	sent, err := w.Transactions(t.Context(), r.Accounts()[0].Address)
	require.NoError(t, err)
	_, err = w.Cancel(t.Context(), sent[0].Hash(), wallet.ReplaceOptions{Agreed: true})
	require.NoError(t, err)
	done, err := r.keep(0)
	require.ErrorAs(t, err, new(*topup.FailedError))
	require.Equal(t, "0 wei", done.Funds.MovedTotal.String())
	require.NoError(t, r.Reorg(t.Context(), 1))
	done, err = r.keep(0)
	require.ErrorContains(t, err, "it was cancelled")
	require.Equal(t, "1 ETH", done.Funds.MovedTotal.String(), "it may take effect")
	_, err = r.keep(0)
	require.ErrorAs(t, err, new(*topup.FailedError))
}

// TestEventsOfOneSecond: consumers drop an event with the ID of another one.
func TestEventsOfOneSecond(t *testing.T) {
	ids := make(map[string]bool)
	for _, look := range []wallet.TopUp{{Outcome: wallet.TopUpFunded, RequestID: "1"}, {Outcome: wallet.TopUpFunded, RequestID: "2"}, {Outcome: wallet.TopUpCannot}, {Outcome: wallet.TopUpCannot}} {
		event, err := look.Event()
		require.NoError(t, err)
		var is struct{ ID string }
		require.NoError(t, json.Unmarshal(event, &is))
		ids[is.ID] = true
	}
	require.Len(t, ids, 3, "the same look again is the same event")
}

// TestDaysUntilAPayerIsWary: the deposit for some days still covers as many face values after them as it must
// for tickets to be created.
func TestDaysUntilAPayerIsWary(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit_days": "7"})
	stored, err := store.Open(t.Context(), r.store)
	require.NoError(t, err)
	state, now := r.State(), time.Now()
	for day := range 10 {
		params := &pm.TicketParams{FaceValue: big.NewInt(1e16), WinProb: new(big.Int).Lsh(big.NewInt(1), 248), RecipientRandHash: common.Hash{byte(day)}}
		_, err := stored.Chain(state.Network().ChainID).Reserve(t.Context(), store.Spend{Sender: r.Accounts()[0].Address, Params: params, Count: 100, At: now.AddDate(0, 0, -day)})
		require.NoError(t, err)
	}
	require.NoError(t, stored.Close())
	needs := func(depositMultiplier int) *big.Int {
		config := r.config(0)
		config.Now, config.Limits.DepositMultiplier = func() time.Time { return now }, depositMultiplier
		w, err := wallet.Open(t.Context(), config)
		require.NoError(t, err)
		defer w.Close()
		done, err := w.KeepFunded(t.Context(), wallet.KeepOptions{Rules: r.rules, DryRun: true})
		require.NoError(t, err)
		return done.Funds.NeedDeposit.Big()
	}
	once := needs(1)
	require.Positive(t, once.Sign())
	require.InEpsilon(t, 4e16, float64(new(big.Int).Sub(needs(5), once).Int64()), 1e-9)
}
