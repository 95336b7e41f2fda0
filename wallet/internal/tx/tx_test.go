package tx_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math/big"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

var broker = contract.NewTicketBroker()

// world is a local network with one account, and a journal of its own.
type world struct {
	t      *testing.T
	net    *devnet.Devnet
	client *chain.Client
	signer signer.Local
	tx.Manager
	broker common.Address
}

func newWorld(t *testing.T) *world {
	t.Helper()
	d, err := devnet.Start(t.Context(), devnet.Config{Accounts: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	w := &world{t: t, net: d, signer: keyOf(t, d, 0), broker: d.Contracts()["TicketBroker"]}
	w.client = w.dial(d.RPCURL())
	w.Manager = tx.Manager{Node: w.client, Journal: journalAt(t, filepath.Join(t.TempDir(), "store.db")), Signer: w.signer}
	return w
}

func keyOf(t *testing.T, d *devnet.Devnet, i int) signer.Local {
	t.Helper()
	s, err := signer.RawKey([]byte(hex.EncodeToString(crypto.FromECDSA(d.Accounts()[i].Key))))
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func (w *world) dial(url string) *chain.Client {
	w.t.Helper()
	state := w.net.State()
	client, err := chain.Dial(w.t.Context(), url, state.Network())
	require.NoError(w.t, err)
	w.t.Cleanup(client.Close)
	return client
}

// deposit is a call that funds the deposit.
func (w *world) deposit(value wei.Wei) tx.Call {
	return tx.Call{To: w.broker, Value: value, Data: broker.PackFundDeposit()}
}

func (w *world) prepare(node tx.Backend, call tx.Call) *tx.Prepared {
	w.t.Helper()
	p, err := tx.Prepare(w.t.Context(), node, w.signer.Address(), call, tx.Caps{})
	require.NoError(w.t, err)
	return p
}

func (w *world) send(node tx.Backend, p *tx.Prepared) *types.Transaction {
	w.t.Helper()
	return w.intend(node, p).Newest()
}

// intend submits a call as an intent of its own.
func (w *world) intend(node tx.Backend, p *tx.Prepared) *tx.Intent {
	w.t.Helper()
	intent := &tx.Intent{RequestID: rand.Text()}
	require.NoError(w.t, tx.Manager{Node: node, Journal: w.Journal, Signer: w.signer}.Submit(w.t.Context(), p, intent, tx.Terms{WithPending: true}))
	return intent
}

func (w *world) wait(hash common.Hash) *types.Receipt {
	w.t.Helper()
	receipt, err := w.Wait(w.t.Context(), hash)
	require.NoError(w.t, err)
	return receipt
}

// account is the account's balance and how many transactions it has sent.
func (w *world) account() (balance wei.Wei, nonce uint64) {
	w.t.Helper()
	quote, err := w.client.Quote(w.t.Context(), ethereum.CallMsg{From: w.signer.Address()})
	require.NoError(w.t, err)
	nonce, err = w.client.PendingNonceAt(w.t.Context(), w.signer.Address())
	require.NoError(w.t, err)
	return amount(w.t, quote.Balance), nonce
}

func amount(t *testing.T, v *big.Int) wei.Wei {
	t.Helper()
	w, err := wei.FromBig(v)
	require.NoError(t, err)
	return w
}

func parse(t *testing.T, text string) wei.Wei {
	t.Helper()
	w, err := wei.Parse(text)
	require.NoError(t, err)
	return w
}

func minus(t *testing.T, a wei.Wei, rest ...wei.Wei) wei.Wei {
	t.Helper()
	for _, b := range rest {
		var err error
		a, err = a.Sub(b)
		require.NoError(t, err)
	}
	return a
}

// TestBalancesAddUp sends one transaction and accounts for every wei.
func TestBalancesAddUp(t *testing.T) {
	w := newWorld(t)
	before, nonce := w.account()
	quote, err := w.client.Quote(t.Context(), ethereum.CallMsg{From: w.signer.Address()})
	require.NoError(t, err)

	value := parse(t, "1.5eth")
	p := w.prepare(w.client, w.deposit(value))
	require.Equal(t, new(big.Int).Add(new(big.Int).Lsh((*big.Int)(quote.Head.BaseFee), 1), quote.Tip), p.FeeCap)
	require.Equal(t, amount(t, new(big.Int).Mul(p.FeeCap, new(big.Int).SetUint64(p.GasLimit))), p.MaxFee)
	held, sent := w.account()
	require.Equal(t, before, held, "to prepare costs nothing")
	require.Equal(t, nonce, sent)

	receipt := w.wait(w.send(w.client, p).Hash())
	fee := amount(t, new(big.Int).Mul(receipt.EffectiveGasPrice, new(big.Int).SetUint64(receipt.GasUsed)))
	require.LessOrEqual(t, fee.Cmp(p.MaxFee), 0)
	held, sent = w.account()
	require.Equal(t, minus(t, before, value, fee), held)
	require.Equal(t, nonce+1, sent)
}

// TestRevertSendsNothing: the contract's own reason is reported before anything is sent, even
// if the account could not pay.
func TestRevertSendsNothing(t *testing.T) {
	w := newWorld(t)
	before, nonce := w.account()
	_, err := tx.Prepare(t.Context(), w.client, w.signer.Address(), tx.Call{To: w.broker, Data: broker.PackWithdraw()}, tx.Caps{})
	require.ErrorIs(t, err, contract.ErrNoFunds)
	var revert *contract.RevertError
	require.ErrorAs(t, err, &revert)
	require.Equal(t, "sender deposit and reserve are zero", revert.Reason)
	held, sent := w.account()
	require.Equal(t, before, held)
	require.Equal(t, nonce, sent)

	poor := common.HexToAddress("0x00000000000000000000000000000000000000aa")
	_, err = tx.Prepare(t.Context(), w.client, poor, tx.Call{To: w.broker, Data: broker.PackWithdraw()}, tx.Caps{})
	require.ErrorIs(t, err, contract.ErrNoFunds)

	wrong := broker.PackFundDepositAndReserve(big.NewInt(1), big.NewInt(1))
	_, err = tx.Prepare(t.Context(), w.client, w.signer.Address(), tx.Call{To: w.broker, Value: wei.FromUint64(3), Data: wrong}, tx.Caps{})
	require.ErrorAs(t, err, &revert)
	require.Equal(t, "msg.value does not equal sum of deposit amount and reserve amount", revert.Reason)
}

// TestFundsToTheWei finds the border between enough and too little.
func TestFundsToTheWei(t *testing.T) {
	w := newWorld(t)
	balance, nonce := w.account()
	maxFee := w.prepare(w.client, w.deposit(wei.FromUint64(1))).MaxFee
	most := minus(t, balance, maxFee)
	over, err := most.Add(wei.FromUint64(1))
	require.NoError(t, err)
	twice, err := balance.Mul(2)
	require.NoError(t, err)

	for _, c := range []struct {
		name           string
		value, missing wei.Wei
	}{
		{"one wei over", over, wei.FromUint64(1)},
		{"nothing left for gas", balance, maxFee},
		{"twice the balance", twice, minus(t, w.sum(twice, maxFee), balance)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := tx.Prepare(t.Context(), w.client, w.signer.Address(), w.deposit(c.value), tx.Caps{})
			require.ErrorIs(t, err, tx.ErrInsufficientFunds)
			var short *tx.InsufficientFundsError
			require.ErrorAs(t, err, &short)
			require.Equal(t, w.signer.Address(), short.Account)
			require.Equal(t, balance, short.Have)
			require.Equal(t, w.sum(c.value, maxFee), short.Need)
			require.Equal(t, c.missing, short.Missing)
			require.Contains(t, err.Error(), w.signer.Address().Hex())
			require.Contains(t, err.Error(), c.missing.String())
		})
	}
	_, sent := w.account()
	require.Equal(t, nonce, sent)

	// The whole balance can be moved.
	w.wait(w.send(w.client, w.prepare(w.client, w.deposit(most))).Hash())
}

func (w *world) sum(a, b wei.Wei) wei.Wei {
	w.t.Helper()
	sum, err := a.Add(b)
	require.NoError(w.t, err)
	return sum
}

// TestWaitEnds ends the wait before the transaction is mined, in both ways.
func TestWaitEnds(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.net.SetAutomine(t.Context(), false))
	intent := w.intend(w.client, w.prepare(w.client, w.deposit(wei.FromUint64(1))))
	hash := intent.Newest().Hash()

	timed, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for ended, want := range map[context.Context]error{timed: context.DeadlineExceeded, cancelled: context.Canceled} {
		_, err := w.Await(ended, intent, tx.AwaitOptions{})
		var pending *tx.NotMinedError
		require.ErrorAs(t, err, &pending)
		require.Equal(t, hash, pending.Hash)
		require.ErrorIs(t, err, want)
		require.Contains(t, err.Error(), hash.Hex())
		require.NotContains(t, err.Error(), "context")
	}

	// It is mined all the same.
	require.NoError(t, w.net.Mine(t.Context(), 1))
	w.wait(hash)
}

// TestFailedTransaction mines a transaction that fails only after it was simulated.
func TestFailedTransaction(t *testing.T) {
	w := newWorld(t)
	w.wait(w.send(w.client, w.prepare(w.client, w.deposit(wei.FromUint64(1)))).Hash())
	unlock := tx.Call{To: w.broker, Data: broker.PackUnlock()}
	first, second := w.prepare(w.client, unlock), w.prepare(w.client, unlock)
	w.wait(w.send(w.client, first).Hash())

	sent := w.send(w.client, second)
	_, err := w.Wait(t.Context(), sent.Hash())
	require.ErrorIs(t, err, pm.ErrTxFailed)
	require.ErrorContains(t, err, sent.Hash().Hex())
}

// TestSameTransactionTwice sends the same transaction to the node again: it is mined once, and
// that is not an error.
func TestSameTransactionTwice(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.net.SetAutomine(t.Context(), false))
	_, nonce := w.account()
	intent := w.intend(w.client, w.prepare(w.client, w.deposit(wei.FromUint64(1))))
	require.NoError(t, w.Resend(t.Context(), intent))
	require.NoError(t, w.net.Mine(t.Context(), 1))
	require.NoError(t, w.Resend(t.Context(), intent), "its nonce is used, by itself")
	w.wait(intent.Newest().Hash())
	_, sent := w.account()
	require.Equal(t, nonce+1, sent)
}

// priced is a node of a chain without a base fee.
type priced struct {
	tx.Backend
	price *chain.Client
}

func (p priced) Quote(ctx context.Context, call ethereum.CallMsg) (*chain.Quote, error) {
	quote, err := p.Backend.Quote(ctx, call)
	if err == nil {
		quote.Head.BaseFee, quote.Tip = nil, nil
		quote.Price, err = p.price.SuggestGasPrice(ctx)
	}
	return quote, err
}

func TestLegacyPrice(t *testing.T) {
	w := newWorld(t)
	price, err := w.client.SuggestGasPrice(t.Context())
	require.NoError(t, err)
	p := w.prepare(priced{w.client, w.client}, w.deposit(wei.FromUint64(1)))
	require.Equal(t, price, p.FeeCap)
	sent := w.send(w.client, p)
	require.EqualValues(t, types.LegacyTxType, sent.Type())
	require.Equal(t, w.net.ChainID(), sent.ChainId(), "it must not be valid on other chains")
	w.wait(sent.Hash())
}

func TestForeignSigner(t *testing.T) {
	w := newWorld(t)
	manager := w.Manager
	manager.Signer = keyOf(t, w.net, 1)
	err := manager.Submit(t.Context(), w.prepare(w.client, w.deposit(wei.FromUint64(1))), new(tx.Intent), tx.Terms{})
	require.ErrorContains(t, err, w.signer.Address().Hex())
}

// TestEachSendHasANonceOfItsOwn has several goroutines act as one account.
func TestEachSendHasANonceOfItsOwn(t *testing.T) {
	w := newWorld(t)
	_, nonce := w.account()
	const several = 8
	var group sync.WaitGroup
	errs := make([]error, several)
	for i := range several {
		group.Go(func() {
			sent, err := w.Send(t.Context(), w.broker, wei.FromUint64(1), broker.PackFundDeposit())
			if err == nil {
				_, err = w.Wait(t.Context(), sent.Hash())
			}
			errs[i] = err
		})
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	_, sent := w.account()
	require.Equal(t, nonce+several, sent)
}
