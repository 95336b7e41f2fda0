package wallet_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/client"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/remote/service"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// world is a local network with one recipient, and an account on it.
type world struct {
	url string
	// config is of a wallet whose key is open.
	config func() wallet.Config
}

func newWorld(t *testing.T) world {
	t.Helper()
	d, err := devnet.Start(t.Context(), devnet.Config{Recipients: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	keyFile := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(keyFile, []byte(hex.EncodeToString(crypto.FromECDSA(d.Accounts()[0].Key))), 0o600))
	state := d.State()
	network, node, store := state.Network(), d.RPCURL(), filepath.Join(t.TempDir(), "pay.db")
	return world{d.Recipients()[0].State().URL, func() wallet.Config {
		account, err := open(t.Context(), keyFile)
		require.NoError(t, err)
		return wallet.Config{
			Network: network, Nodes: []string{node}, Store: store,
			Account: account, Limits: policy.Default(),
		}
	}}
}

// open makes an account of a file with a private key, which is read each time that it is needed.
func open(ctx context.Context, keyFile string) (*signer.Account, error) {
	read := func(context.Context) (*signer.Account, error) {
		text, err := os.ReadFile(keyFile)
		if err != nil {
			return nil, err
		}
		defer clear(text)
		key, err := signer.RawKey(text)
		if err != nil {
			return nil, err
		}
		return signer.Opened(key, keyFile), nil
	}
	first, err := read(ctx)
	if err != nil {
		return nil, err
	}
	defer first.Close()
	return signer.Later(first.Address(), read), nil
}

// fund adds a tenth of an ether to the deposit and to the reserve, once: the request id is
// the caller's, and a retry with it sends no second transaction.
func fund(ctx context.Context, config wallet.Config, id string) error {
	w, err := wallet.Open(ctx, config)
	if err != nil {
		return err
	}
	defer w.Close()
	tenth, err := wei.Parse("0.1eth")
	if err != nil {
		return err
	}
	_, err = w.Fund(ctx, wallet.Funding{Deposit: tenth, Reserve: tenth}, wallet.SendOptions{RequestID: id, Agreed: true})
	return err
}

// payment pays a recipient, and says what its tickets are worth, in wei.
func payment(ctx context.Context, config wallet.Config, recipient string, value wei.Wei) (*big.Rat, error) {
	w, err := wallet.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	to, err := pay.ParseTarget(recipient)
	if err != nil {
		return nil, err
	}
	paid, err := w.Pay(ctx, to, pay.Amount{Value: value}, wallet.PayOptions{})
	if err != nil {
		return nil, err
	}
	return paid.Total().EV, nil
}

// mint makes tickets of fresh ticket params, and writes them as pmctl ticket batch does.
func mint(ctx context.Context, config wallet.Config, recipient string, count uint64, out io.Writer) error {
	w, err := wallet.Open(ctx, config)
	if err != nil {
		return err
	}
	defer w.Close()
	of, err := pay.ParseTarget(recipient)
	if err != nil {
		return err
	}
	batch, err := w.Mint(ctx, wallet.MintOptions{Recipient: of, Amount: pay.Amount{Count: count}})
	if err != nil {
		return err
	}
	return batch.Write(ctx, out, format.NDJSON)
}

// judge says how a recipient's ticket params fare: against the limits, and the chain.
func judge(ctx context.Context, config wallet.Config, recipient string) ([]check.Finding, error) {
	w, err := wallet.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	of, err := pay.ParseTarget(recipient)
	if err != nil {
		return nil, err
	}
	offers, err := w.Offers(ctx, []pay.Target{of}, wallet.OfferOptions{Judge: true})
	if err != nil {
		return nil, err
	}
	if offers[0].Judged == nil {
		return nil, offers[0].Err
	}
	return offers[0].Findings, nil
}

// serve signs for gateways and SDKs without a key, until ctx ends.
func serve(ctx context.Context, config wallet.Config, listener net.Listener, identify identity.Identifier) error {
	w, err := wallet.Open(ctx, config)
	if err != nil {
		return err
	}
	defer w.Close()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	signer, err := wallet.NewRemoteSigner(ctx, w, wallet.RemoteSignerOptions{
		Identify: identify, Rate: remote.Rate{PerSecond: 100, Burst: 100}, Log: log,
	})
	if err != nil {
		return err
	}
	defer signer.Close()
	return service.Serve(ctx, service.Config{Signer: signer, Listener: listener, Drain: 30 * time.Second, Log: log})
}

// TestProgramsOnPackageWallet runs what docs/go.md shows.
func TestProgramsOnPackageWallet(t *testing.T) {
	world := newWorld(t)
	ctx := t.Context()
	for range 2 {
		require.NoError(t, fund(ctx, world.config(), "first"))
	}
	findings, err := judge(ctx, world.config(), world.url)
	require.NoError(t, err)
	require.NotEmpty(t, findings)
	for _, f := range findings {
		require.NotEqual(t, check.Failed, f.State, fmt.Sprint(f))
	}
	value := wei.FromUint64(3_000_000_000_000)
	paid, err := payment(ctx, world.config(), world.url, value)
	require.NoError(t, err)
	require.GreaterOrEqual(t, paid.Cmp(value.Rat()), 0)

	var lines lineCount
	require.NoError(t, mint(ctx, world.config(), world.url, 3, &lines))
	require.EqualValues(t, 4, lines, "a header, and a line for each ticket")
}

// TestGoroutinesPay: each with a wallet and an account of its own, on one store.
func TestGoroutinesPay(t *testing.T) {
	world := newWorld(t)
	require.NoError(t, fund(t.Context(), world.config(), "first"))
	value := wei.FromUint64(3_000_000_000_000)
	var paying sync.WaitGroup
	for range 8 {
		config := world.config()
		paying.Go(func() {
			_, err := payment(t.Context(), config, world.url, value)
			assert.NoError(t, err)
		})
	}
	paying.Wait()
	w, err := wallet.Open(t.Context(), world.config())
	require.NoError(t, err)
	defer w.Close()
	spent, err := wallet.BudgetOf(t.Context(), w, w.Account.Address(), w.Limits)
	require.NoError(t, err)
	require.EqualValues(t, 8*3, spent.Tickets)
}

// TestAProgramServesASigner runs what docs/go.md shows of remote signers.
func TestAProgramServesASigner(t *testing.T) {
	world := newWorld(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	config := world.config()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, config, listener, identity.None{}) }()
	asked, err := client.New("http://"+listener.Addr().String(), "")
	require.NoError(t, err)
	sender, err := asked.Sender(ctx) // waits in the listener until it is served
	require.NoError(t, err)
	require.Equal(t, config.Account.Address(), sender)
	stop()
	require.NoError(t, <-ended)
}

// lineCount counts what is written to it.
type lineCount int

func (c *lineCount) Write(p []byte) (int, error) {
	for _, b := range p {
		if b == '\n' {
			*c++
		}
	}
	return len(p), nil
}
