package wallet_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

type probe struct {
	d     *devnet.Devnet
	front string
	hook  atomic.Pointer[func(n int)]
	n     atomic.Int32
	store string
}

func newProbe(t *testing.T) *probe {
	d, err := devnet.Start(t.Context(), devnet.Config{Recipients: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	p := &probe{d: d, store: t.TempDir() + "/pay.db"}
	target, _ := url.Parse(d.RPCURL())
	proxy := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := p.n.Add(1)
		if h := p.hook.Load(); h != nil {
			(*h)(int(n))
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	p.front = front.URL
	return p
}

func (p *probe) config(t *testing.T) wallet.Config {
	key := hex.EncodeToString(crypto.FromECDSA(p.d.Accounts()[0].Key))
	account := signer.Later(p.d.Accounts()[0].Address, func(context.Context) (*signer.Account, error) {
		k, err := signer.RawKey([]byte(key))
		if err != nil {
			return nil, err
		}
		return signer.Opened(k, "x"), nil
	})
	state := p.d.State()
	return wallet.Config{Network: state.Network(), Nodes: []string{p.front}, Store: p.store, Account: account, Limits: policy.Default()}
}

func stacks() (int, string) {
	buf := make([]byte, 1<<22)
	buf = buf[:runtime.Stack(buf, true)]
	n := 0
	var out []string
	for _, g := range strings.Split(string(buf), "\n\n") {
		if strings.Contains(g, "pmctl/wallet") && !strings.Contains(g, "wallet/devnet") && !strings.Contains(g, "wallet_test") && !strings.Contains(g, "testing.") {
			n++
			out = append(out, g)
		}
	}
	return n, strings.Join(out, "\n\n")
}

type flow struct {
	name string
	run  func(ctx context.Context, w *wallet.Wallet) error
}

func (p *probe) flows(t *testing.T) []flow {
	to, err := pay.ParseTarget(p.d.Recipients()[0].State().URL)
	require.NoError(t, err)
	in := p.d.Recipients()[0].State().URL + "\n" + p.d.Recipients()[1].State().URL + "\n"
	tenth, _ := wei.Parse("0.1eth")
	return []flow{
		{"pay", func(ctx context.Context, w *wallet.Wallet) error {
			_, err := w.Pay(ctx, to, pay.Amount{Count: 1}, wallet.PayOptions{})
			return err
		}},
		{"mint", func(ctx context.Context, w *wallet.Wallet) error {
			b, err := w.Mint(ctx, wallet.MintOptions{Recipient: to, Amount: pay.Amount{Count: 3}})
			if err != nil {
				return err
			}
			var out bytes.Buffer
			return b.Write(ctx, &out, format.NDJSON)
		}},
		{"stream", func(ctx context.Context, w *wallet.Wallet) error {
			var out bytes.Buffer
			r, err := w.Stream(ctx, wallet.StreamOptions{In: strings.NewReader(in), Out: &out, Format: format.JSONLine, Amount: pay.Amount{Count: 2}})
			if err == nil && r.Batches != 2 {
				return fmt.Errorf("STREAM %+v", r)
			}
			return err
		}},
		{"offers", func(ctx context.Context, w *wallet.Wallet) error {
			o, err := w.Offers(ctx, []pay.Target{to}, wallet.OfferOptions{Judge: true})
			if err == nil && o[0].Err != nil {
				return o[0].Err
			}
			return err
		}},
		{"inspect", func(ctx context.Context, w *wallet.Wallet) error { _, err := w.Inspect(ctx, to); return err }},
		{"fund", func(ctx context.Context, w *wallet.Wallet) error {
			_, err := w.Fund(ctx, wallet.Funding{Deposit: tenth, Reserve: tenth}, wallet.SendOptions{Agreed: true})
			return err
		}},
		{"transactions", func(ctx context.Context, w *wallet.Wallet) error {
			_, err := w.Transactions(ctx, w.Account.Address())
			return err
		}},
		{"wait", func(ctx context.Context, w *wallet.Wallet) error {
			_, err := w.Wait(ctx, common.Hash{1}, false, wallet.WaitOptions{})
			return err
		}},
		{"bump", func(ctx context.Context, w *wallet.Wallet) error {
			_, err := w.Bump(ctx, common.Hash{1}, wallet.ReplaceOptions{})
			return err
		}},
		{"clients", func(ctx context.Context, w *wallet.Wallet) error {
			c, err := w.SignerClients()
			if err != nil {
				return err
			}
			_, err = c.Add(ctx, wallet.SignerClient{})
			return err
		}},
		{"agent", func(ctx context.Context, w *wallet.Wallet) error {
			s, err := wallet.NewAgent(ctx, w, agent.Config{})
			if err == nil {
				_ = s
			}
			return err
		}},
		{"remotesigner", func(ctx context.Context, w *wallet.Wallet) error {
			s, err := wallet.NewRemoteSigner(ctx, w, wallet.RemoteSignerOptions{Identify: identity.None{}})
			if err == nil {
				s.Close()
			}
			return err
		}},
		{"exit", func(ctx context.Context, w *wallet.Wallet) error {
			_, err := w.Exit(ctx, wallet.ExitOptions{SendOptions: wallet.SendOptions{Agreed: true, WaitOptions: wallet.WaitOptions{NoWait: true}}})
			return err
		}},
	}
}

func TestProbeClosed(t *testing.T) {
	p := newProbe(t)
	require.NoError(t, fund(t.Context(), p.config(t), "first"))
	for _, f := range p.flows(t) {
		w, err := wallet.Open(t.Context(), p.config(t))
		require.NoError(t, err)
		w.Close()
		w.Close()
		err = f.run(t.Context(), w)
		fmt.Printf("closed %-12s class %v err %v\n", f.name, wallet.ClassOf(err), err)
		w.Close()
	}
	for _, f := range p.flows(t) {
		w, err := wallet.Open(t.Context(), p.config(t))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err = f.run(ctx, w)
		fmt.Printf("ended  %-12s %v class %v err %v\n", f.name, errors.Is(err, context.Canceled), wallet.ClassOf(err), err)
		w.Close()
	}
	time.Sleep(300 * time.Millisecond)
	n, s := stacks()
	fmt.Println("goroutines", n, s)
}

func TestProbeCancel(t *testing.T) {
	p := newProbe(t)
	require.NoError(t, fund(t.Context(), p.config(t), "first"))
	for _, f := range p.flows(t)[:6] {
		for _, deadline := range []bool{false, true} {
			for k := 1; k < 40; k++ {
				w, err := wallet.Open(t.Context(), p.config(t))
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				if deadline {
					// a deadline that passes at the kth request
					var c context.CancelCauseFunc
					ctx, c = context.WithCancelCause(t.Context())
					cancel = func() { c(errors.New("my cause")) }
				}
				p.n.Store(0)
				reached := false
				hook := func(n int) {
					if n == k {
						reached = true
						cancel()
						time.Sleep(5 * time.Millisecond)
					}
				}
				p.hook.Store(&hook)
				err = f.run(ctx, w)
				p.hook.Store(nil)
				cancel()
				w.Close()
				fmt.Printf("%-8s cause %v at %2d reached %v canceled %v class %v err %v\n", f.name, deadline, k, reached, errors.Is(err, context.Canceled), wallet.ClassOf(err), err)
				if !reached {
					break
				}
			}
		}
	}
	time.Sleep(300 * time.Millisecond)
	n, s := stacks()
	fmt.Println("goroutines", n, s)
}
