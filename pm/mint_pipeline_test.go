package pm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"pgregory.net/rapid"
)

// digestSigner signs with a raw key, as keystore.Signer does.
type digestSigner struct {
	keySigner
	signed atomic.Int64
}

func newDigestSigner(t testing.TB) *digestSigner { return &digestSigner{keySigner: newTestSigner(t)} }

func (s *digestSigner) SignDigest(digest, sig []byte) error {
	s.signed.Add(1)
	signed, err := crypto.Sign(digest, s.key)
	copy(sig, signed)
	sig[64] += 27
	return err
}

// fataler is a test, of the testing package or of rapid.
type fataler interface{ Fatal(args ...any) }

// straight signs the tickets of an order in the simplest way.
func straight(t fataler, key keySigner, o *Order) (out []TicketSenderParams) {
	for i := range o.Nonces.Count {
		ticket := NewTicket(o.Params, o.Expiration, key.Account().Address, o.Nonces.First+i)
		sig, err := crypto.Sign(accounts.TextHash(ticket.Hash().Bytes()), key.key)
		if err != nil {
			t.Fatal(err)
		}
		sig[64] += 27
		out = append(out, TicketSenderParams{ticket.SenderNonce, sig})
	}
	return out
}

// ordersOf returns orders one by one.
func ordersOf(orders ...*Order) func(context.Context) (*Order, error) {
	return func(context.Context) (*Order, error) {
		if len(orders) == 0 {
			return nil, io.EOF
		}
		next := orders[0]
		orders = orders[1:]
		return next, nil
	}
}

func TestMintOrdersMakesWhatTheStraightLoopMakes(t *testing.T) {
	key := newDigestSigner(t)
	rapid.Check(t, func(t *rapid.T) {
		var got, want []string
		add := func(to *[]string, order int, sp TicketSenderParams) {
			*to = append(*to, fmt.Sprintf("%d %d %x", order, sp.SenderNonce, sp.Sig))
		}
		var orders []*Order
		for i := range rapid.IntRange(0, 4).Draw(t, "orders") {
			params := testParams()
			params.RecipientRandHash = common.Hash{byte(i)}
			order := &Order{Params: params, Nonces: NonceRange{
				First: rapid.Uint32Range(1, 1<<32-4*chunkTickets).Draw(t, "first"),
				Count: rapid.Uint32Range(0, 3*chunkTickets+1).Draw(t, "count"),
			}}
			if rapid.Bool().Draw(t, "no round") {
				order.Expiration = &TicketExpirationParams{} // whose tickets are 64 bytes shorter
			}
			order.Emit = func(sp TicketSenderParams) error { add(&got, i, sp); return nil }
			for _, sp := range straight(t, key.keySigner, order) {
				add(&want, i, sp)
			}
			orders = append(orders, order)
		}
		var signer Signer = key
		if rapid.Bool().Draw(t, "messages only") {
			signer = key.keySigner
		}
		workers := rapid.IntRange(1, 9).Draw(t, "workers")
		if err := mintOrders(context.Background(), signer, workers, ordersOf(orders...)); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got\n%v\nwant\n%v", got, want)
		}
		got = nil
		for _, o := range orders {
			if err := MintSerially(context.Background(), signer, o.Params, o.Expiration, o.Nonces, o.Emit); err != nil {
				t.Fatal(err)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("serially: got\n%v\nwant\n%v", got, want)
		}
	})
}

// TestLargeBatchesAreTheStraightLoops: batches large enough that chunks grow to full size and
// are reused many times.
func TestLargeBatchesAreTheStraightLoops(t *testing.T) {
	key := newDigestSigner(t)
	const count = chunkTickets * 32 * 3 // the last third is in full chunks
	if got := chunkSize(count / 2); got != chunkTickets {
		t.Fatalf("the pieces have %d tickets in the middle, not %d", got, chunkTickets)
	}
	whole := &Order{Params: testParams(), Nonces: NonceRange{First: 7, Count: count}}
	want := straight(t, key.keySigner, whole)
	for _, workers := range []int{1, 2, 5} {
		var got []TicketSenderParams
		whole.Emit = func(sp TicketSenderParams) error {
			got = append(got, TicketSenderParams{sp.SenderNonce, bytes.Clone(sp.Sig)})
			return nil
		}
		if err := mintOrders(t.Context(), key, workers, ordersOf(whole)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%d workers make other tickets than the straight loop", workers)
		}
	}
}

func TestMintOrdersStops(t *testing.T) {
	broken := errors.New("broken")
	for _, workers := range []int{1, 2, 7} {
		emitted := 0
		order := func(count uint32, fail int) *Order {
			return &Order{Params: testParams(), Nonces: NonceRange{1, count}, Emit: func(TicketSenderParams) error {
				if emitted++; emitted == fail {
					return broken
				}
				return nil
			}}
		}
		signer := newDigestSigner(t)
		err := mintOrders(context.Background(), signer, workers, ordersOf(order(10_000_000, 100)))
		if err != broken || emitted != 100 {
			t.Errorf("an Emit that fails: %d tickets, error %v", emitted, err)
		}
		if ahead := signer.signed.Load(); ahead > int64(100+workers*chunksAhead*chunkTickets) {
			t.Errorf("%d signatures ahead of a slow reader", ahead)
		}

		emitted = 0
		bad := order(1, 0)
		bad.Nonces.First = 0
		if err := mintOrders(context.Background(), signer, workers, ordersOf(order(50, 0), bad, order(50, 0))); err == nil || emitted != 50 {
			t.Errorf("an order that is refused: %d tickets, error %v", emitted, err)
		}

		hungUp := fmt.Errorf("the node hung up: %w", io.EOF)
		if err := mintOrders(context.Background(), signer, workers, func(context.Context) (*Order, error) { return nil, hungUp }); err != hungUp {
			t.Errorf("a failure that wraps io.EOF is no end of the orders: error %v", err)
		}

		emitted = 0
		ctx, cancel := context.WithCancel(context.Background())
		one := order(1, 0)
		one.Emit = func(TicketSenderParams) error { emitted++; cancel(); return nil }
		err = mintOrders(ctx, signer, workers, func(ctx context.Context) (*Order, error) {
			if next := one; next != nil {
				one = nil
				return next, nil
			}
			<-ctx.Done() // no more orders come
			return nil, ctx.Err()
		})
		if !errors.Is(err, context.Canceled) || emitted != 1 {
			t.Errorf("a ctx that ends during the wait for orders: %d tickets, error %v", emitted, err)
		}
	}
}

func TestMintTakesNoMemory(t *testing.T) {
	const tickets = 20_000
	signer := newDigestSigner(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := Mint(context.Background(), signer, testParams(), nil, NonceRange{1, tickets}, func(TicketSenderParams) error { return nil })
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	signing := testing.AllocsPerRun(100, func() { _, _ = crypto.Sign(make([]byte, 32), signer.key) })
	if each := float64(after.Mallocs-before.Mallocs) / tickets; each > signing+0.1 {
		t.Errorf("%.2f allocations a ticket, of which a signature makes %.0f", each, signing)
	}
}

func TestBatchVerifierAgreesWithDefaultSigVerifier(t *testing.T) {
	signer, params := newDigestSigner(t), testParams()
	sender := signer.Account().Address
	rapid.Check(t, func(t *rapid.T) {
		order := &Order{Params: params, Nonces: NonceRange{rapid.Uint32Range(1, 1<<31).Draw(t, "nonce"), 1}}
		sig := straight(t, signer.keySigner, order)[0].Sig
		for range rapid.IntRange(0, 2).Draw(t, "flips") {
			sig[rapid.IntRange(0, 64).Draw(t, "byte")] ^= rapid.Byte().Draw(t, "mask")
		}
		sig = sig[:rapid.SampledFrom([]int{65, 65, 65, 64, 0}).Draw(t, "length")]
		nonce := order.Nonces.First + rapid.Uint32Range(0, 1).Draw(t, "off")
		v, err := NewBatchVerifier(params, nil, sender)
		if err != nil {
			t.Fatal(err)
		}
		hash := NewTicket(params, nil, sender, nonce).Hash()
		want := new(DefaultSigVerifier).Verify(sender, hash.Bytes(), sig)
		for range 2 { // it keeps nothing of the first
			if got := v.Verify(nonce, sig); got != want {
				t.Fatalf("%v, and DefaultSigVerifier says %v", got, want)
			}
		}
	})
}
