package wallet_test

import (
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/format"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote/client"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestWhatAConfigLeavesOut has a flow fail by name that needs it, and the default limits
// hold where none are set.
func TestWhatAConfigLeavesOut(t *testing.T) {
	ctx := t.Context()
	signing := func(w *wallet.Wallet) map[string]error {
		_, do := w.Do(ctx, wallet.Unlock(), wallet.SendOptions{})
		_, exit := w.Exit(ctx, wallet.ExitOptions{})
		_, paid := w.Pay(ctx, pay.Target{}, pay.Amount{Count: 1}, wallet.PayOptions{})
		_, mint := w.Mint(ctx, wallet.MintOptions{})
		_, stream := w.Stream(ctx, wallet.StreamOptions{})
		_, offers := w.Offers(ctx, nil, wallet.OfferOptions{})
		_, inspect := w.Inspect(ctx, pay.Target{})
		return map[string]error{"do": do, "exit": exit, "pay": paid, "mint": mint, "stream": stream, "offers": offers, "inspect": inspect}
	}
	bare, err := wallet.Open(ctx, wallet.Config{})
	require.NoError(t, err)
	defer bare.Close()
	require.Equal(t, policy.Default().MaxFee, bare.Limits.MaxFee)
	for name, err := range signing(bare) {
		require.ErrorIs(t, err, wallet.ErrNoAccount, name)
	}

	account := signer.AddressOnly(common.Address{1})
	acting, err := wallet.Open(ctx, wallet.Config{Account: account})
	require.NoError(t, err)
	defer acting.Close()
	for name, err := range signing(acting) {
		require.ErrorIs(t, err, wallet.ErrNoStore, name)
	}
	_, err = acting.Simulate(ctx, wallet.Action{})
	require.ErrorIs(t, err, wallet.ErrNoAction)
	_, err = acting.Transactions(ctx, account.Address())
	require.ErrorIs(t, err, wallet.ErrNoStore)
	_, err = acting.Wait(ctx, common.Hash{}, false, wallet.WaitOptions{})
	require.ErrorIs(t, err, wallet.ErrNoStore)
	_, err = acting.Bump(ctx, common.Hash{}, wallet.ReplaceOptions{})
	require.ErrorIs(t, err, wallet.ErrNoStore)
	_, err = acting.SendSigned(ctx, nil, tx.Terms{}, false, wallet.WaitOptions{})
	require.ErrorIs(t, err, wallet.ErrNoStore)

	nodeless, err := wallet.Open(ctx, wallet.Config{Account: account, Store: filepath.Join(t.TempDir(), "store.db")})
	require.NoError(t, err)
	defer nodeless.Close()
	_, err = nodeless.Offers(ctx, nil, wallet.OfferOptions{})
	require.ErrorIs(t, err, signer.ErrNoKey)
	_, err = nodeless.Do(ctx, wallet.Unlock(), wallet.SendOptions{})
	require.ErrorIs(t, err, wallet.ErrNoNode)
}

// TestSomeLimitsLiftNoOthers: limits that a program sets alone hold, and the default ones beside
// them.
func TestSomeLimitsLiftNoOthers(t *testing.T) {
	world, ctx := newWorld(t), t.Context()
	require.NoError(t, fund(ctx, world.config(), "first"))
	to, err := pay.ParseTarget(world.url)
	require.NoError(t, err)
	payment := func(limits policy.Limits, value string) error {
		config := world.config()
		config.Limits = limits
		w, err := wallet.Open(ctx, config)
		require.NoError(t, err)
		defer w.Close()
		amount, err := wei.Parse(value)
		require.NoError(t, err)
		_, err = w.Pay(ctx, to, pay.Amount{Value: amount}, wallet.PayOptions{})
		return err
	}
	one := wei.FromUint64(1)
	budget, err := policy.Limits{}.With(policy.Rules{Values: policy.Values{policy.EVPerDay: policy.AmountOf(one)}})
	require.NoError(t, err)
	for name, limits := range map[string]policy.Limits{
		"recipients": {Recipients: []common.Address{{1}}}, "face value": {MaxFaceValue: &one}, "budget": budget,
	} {
		require.ErrorIs(t, payment(limits, "1000gwei"), policy.ErrLimit, name)
	}
	gasPrice := policy.Limits{MaxGasPrice: &one}
	require.NoError(t, payment(gasPrice, "1000gwei"))
	require.ErrorIs(t, payment(gasPrice, "21000gwei"), policy.ErrLimit)
}

// TestNothingIsNotFunded: a transaction that adds nothing would only cost its gas.
func TestNothingIsNotFunded(t *testing.T) {
	world := newWorld(t)
	w, err := wallet.Open(t.Context(), world.config())
	require.NoError(t, err)
	defer w.Close()
	_, err = w.Fund(t.Context(), wallet.Funding{}, wallet.SendOptions{Agreed: true})
	require.ErrorIs(t, err, wallet.ErrNothingToFund)
	all, err := wei.Parse("115792089237316195423570985008687907853269984665640564039457584007913129639935wei")
	require.NoError(t, err)
	_, err = w.Fund(t.Context(), wallet.Funding{Deposit: all, Reserve: all}, wallet.SendOptions{Agreed: true})
	require.ErrorIs(t, err, wei.ErrRange)
	list, err := w.Transactions(t.Context(), w.Account.Address())
	require.NoError(t, err)
	require.Empty(t, list)
}

// TestARequestIsMintedOnce: a program names a batch, and gets the same tickets for it
// however often it asks; what is another batch is refused under that name.
func TestARequestIsMintedOnce(t *testing.T) {
	world, ctx := newWorld(t), t.Context()
	require.NoError(t, fund(ctx, world.config(), "first"))
	u, err := pay.ParseTarget(world.url)
	require.NoError(t, err)
	mint := func(id string, count uint64) (*wallet.Batch, error) {
		w, err := wallet.Open(ctx, world.config())
		require.NoError(t, err)
		defer w.Close()
		return w.Mint(ctx, wallet.MintOptions{Recipient: u, Amount: pay.Amount{Count: count}, RequestID: id})
	}
	first, err := mint("job", 2)
	require.NoError(t, err)
	again, err := mint("job", 2)
	require.NoError(t, err)
	require.Equal(t, first.Params.RecipientRandHash, again.Params.RecipientRandHash)
	require.Equal(t, first.Nonces, again.Nonces)
	_, err = mint("job", 3)
	require.ErrorIs(t, err, store.ErrRequest)
	require.Equal(t, wallet.ClassUsage, wallet.ClassOf(err))
	_, err = mint("two\nlines", 2)
	require.ErrorIs(t, err, wallet.ErrRequestID)
	require.Equal(t, wallet.ClassUsage, wallet.ClassOf(err))
}

// TestARequestIDIsCheckedEverywhere: an ID that no store or header can have is refused before anything
// is asked or signed.
func TestARequestIDIsCheckedEverywhere(t *testing.T) {
	ctx := t.Context()
	account := signer.AddressOnly(common.Address{1})
	w, err := wallet.Open(ctx, wallet.Config{Account: account, Store: filepath.Join(t.TempDir(), "store.db")})
	require.NoError(t, err)
	defer w.Close()
	unreachable, err := client.New("http://127.0.0.1:1", "")
	require.NoError(t, err)
	for _, id := range []string{"two\nlines", "\xff", "a\x00b", strings.Repeat("x", 129)} {
		_, err = w.Do(ctx, wallet.Unlock(), wallet.SendOptions{RequestID: id})
		require.ErrorIs(t, err, wallet.ErrRequestID)
		_, err = w.SendSigned(ctx, &format.SignedTransaction{Transaction: format.Transaction{RequestID: id}}, wallet.Terms{}, false, wallet.WaitOptions{})
		require.ErrorIs(t, err, wallet.ErrRequestID)
		_, _, err = wallet.NewSignerCaller(ctx, unreachable, nil, wallet.CallOptions{RequestID: id})
		require.ErrorIs(t, err, wallet.ErrRequestID)
	}
}

// TestTheDefaultLimitsHoldWithoutAWallet: what is judged or signed by a Config alone is held
// to the default limits, too, where it sets none.
func TestTheDefaultLimitsHoldWithoutAWallet(t *testing.T) {
	network, err := wallet.NamedNetwork(wallet.ArbitrumOne)
	require.NoError(t, err)
	config := wallet.Config{Network: network, Offline: true}

	dear, err := wei.Parse("1eth")
	require.NoError(t, err)
	document := &format.Transaction{
		ChainID: format.Nat(network.ChainID), From: format.Address{1}, To: format.Address(network.Contracts.TicketBroker),
		Data: contract.NewTicketBroker().PackUnlock(), GasLimit: 100_000, MaxGasPrice: format.Amount{Wei: dear},
	}
	_, err = wallet.CheckUnsigned(t.Context(), config, document, wallet.SignOptions{})
	require.ErrorIs(t, err, policy.ErrLimit)

	half := new(big.Int).Lsh(big.NewInt(1), 255)
	offer, err := wire.FromTicketParams(&pm.TicketParams{
		Recipient: common.Address{2}, FaceValue: dear.Big(), WinProb: half, RecipientRandHash: common.Hash{3}, Seed: big.NewInt(4),
		ExpirationBlock: big.NewInt(5), ExpirationParams: &pm.TicketExpirationParams{CreationRound: 6, CreationRoundBlockHash: common.Hash{7}},
	})
	require.NoError(t, err)
	price := &wire.PriceInfo{PricePerUnit: 1, PixelsPerUnit: 1}
	params, err := format.ParamsFromInfo(&wire.OrchestratorInfo{TicketParams: offer, PriceInfo: price}, common.Address{1}, "", "", time.Time{})
	require.NoError(t, err)
	judged, err := wallet.Judge(t.Context(), config, params)
	require.NoError(t, err)
	require.ErrorIs(t, judged.Against, policy.ErrLimit)
}

// TestAKeyIsOpenedForEachTransaction: an account whose key can be opened again funds and pays; one
// whose key is gone after a transaction says so before it signs or sends anything.
func TestAKeyIsOpenedForEachTransaction(t *testing.T) {
	world, ctx := newWorld(t), t.Context()
	tenth, err := wei.Parse("0.1eth")
	require.NoError(t, err)
	to, err := pay.ParseTarget(world.url)
	require.NoError(t, err)
	fundAndPay := func(config wallet.Config) (*wallet.Wallet, error) {
		w, err := wallet.Open(ctx, config)
		require.NoError(t, err)
		t.Cleanup(w.Close)
		_, err = w.Fund(ctx, wallet.Funding{Deposit: tenth, Reserve: tenth}, wallet.SendOptions{Agreed: true})
		require.NoError(t, err)
		_, err = w.Pay(ctx, to, pay.Amount{Value: wei.FromUint64(1)}, wallet.PayOptions{})
		return w, err
	}
	config := world.config()
	_, err = fundAndPay(config)
	require.NoError(t, err)

	source, err := config.Account.Unlock(ctx)
	require.NoError(t, err)
	config.Account = signer.Opened(source, "")
	w, err := fundAndPay(config)
	require.ErrorIs(t, err, signer.ErrCleared)
	_, err = w.Exit(ctx, wallet.ExitOptions{})
	require.ErrorIs(t, err, wallet.ErrSignsAgain)
}
