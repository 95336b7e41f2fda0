package format

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"runtime"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

const mintKey = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"

// mintInto mints the tickets of one header after another into a writer of a format, as a
// batch or a stream of batches is made.
func mintInto(w io.Writer, format string, signer pm.Signer, headers ...*BatchHeader) error {
	out, err := NewBatchWriter(w, format)
	if err != nil {
		return err
	}
	return pm.MintOrders(context.Background(), signer, func(context.Context) (*pm.Order, error) {
		if len(headers) == 0 {
			return nil, io.EOF
		}
		h := headers[0]
		headers = headers[1:]
		return &pm.Order{
			Params: h.Offer.pm(), Expiration: h.ExpirationParams.pm(),
			Nonces: pm.NonceRange{First: h.FirstNonce, Count: h.Tickets},
			Begin:  func() error { return out.Begin(h) },
			Emit:   out.Ticket,
			End:    out.End,
		}, nil
	})
}

// straight is what mintInto writes, made one ticket after the other, by the packages
// that know the formats.
func straight(t *rapid.T, format string, h *BatchHeader) []byte {
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := crypto.HexToECDSA(mintKey)
	must(err)
	payment, err := h.payment()
	must(err)
	whole := batch{BatchHeader: *h, Signatures: []Ticket{}}
	expiration := h.ExpirationParams.pm()
	for i := range h.Tickets {
		ticket := pm.NewTicket(h.Offer.pm(), expiration, crypto.PubkeyToAddress(key.PublicKey), h.FirstNonce+i)
		sig, err := crypto.Sign(accounts.TextHash(ticket.Hash().Bytes()), key)
		must(err)
		sig[64] += 27
		whole.Signatures = append(whole.Signatures, Ticket{ticket.SenderNonce, Sig(sig)})
		payment.TicketSenderParams = append(payment.TicketSenderParams, &wire.TicketSenderParams{SenderNonce: ticket.SenderNonce, Sig: sig})
	}
	value, err := wire.EncodeHeader(payment)
	must(err)
	var out bytes.Buffer
	switch format {
	case JSON:
		must(Write(&out, KindBatch, whole))
		// A ticket stands on one line.
		ticket := regexp.MustCompile(`\{\s+"nonce": (\d+),\s+"sig": ("0x[0-9a-f]+")\s+\}`)
		return ticket.ReplaceAll(out.Bytes(), []byte(`{"nonce":$1,"sig":$2}`))
	case JSONLine:
		must(newEncoder(&out).Encode(envelope{Kind: KindBatch, Version: Version, Data: whole}))
	case NDJSON:
		must(newEncoder(&out).Encode(envelope{Kind: KindBatch, Version: Version, Data: h}))
		for _, ticket := range whole.Signatures {
			must(newEncoder(&out).Encode(ticket))
		}
	case Payment:
		out.WriteString(value + "\n")
	case Headers:
		out.WriteString(wire.PaymentHeader + ": " + value + "\n" + wire.SegmentHeader + ": " + h.Segment + "\n")
	}
	return out.Bytes()
}

// Whatever the number of cores, of batches and of tickets, and the format, the bytes are
// those of the obvious loop.
func TestWhatIsMintedIsByteForByteTheStraightLoops(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	signer, err := keystore.NewRawSigner([]byte(mintKey))
	require.NoError(t, err)
	segment := loadGolden(t).Segments[0].LivepeerSegment
	rapid.Check(t, func(t *rapid.T) {
		runtime.GOMAXPROCS(rapid.IntRange(1, 5).Draw(t, "cores"))
		format := rapid.SampledFrom(append(formats(), JSONLine)).Draw(t, "format")
		var headers []*BatchHeader
		var want []byte
		for i := range rapid.IntRange(1, 4).Draw(t, "batches") {
			params := mintParams()
			params.RecipientRandHash = common.Hash{byte(i)}
			nonces := pm.NonceRange{
				First: rapid.Uint32Range(1, 1<<32-1000).Draw(t, "first"),
				Count: rapid.OneOf(rapid.Uint32Range(0, 40), rapid.Uint32Range(0, 700)).Draw(t, "count"),
			}
			h, err := NewBatchHeader(signer.Address(), params, mintRound(), nonces)
			if err != nil {
				t.Fatal(err)
			}
			h.Segment = segment
			headers = append(headers, h)
			want = append(want, straight(t, format, h)...)
		}
		var got bytes.Buffer
		if err := mintInto(&got, format, signer, headers...); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Fatalf("got\n%s\nwant\n%s", got.Bytes(), want)
		}
	})
}

// wholeWrites fails when a write ends within a line, and after some writes.
type wholeWrites struct {
	t    *testing.T
	left int
}

var errStopped = errors.New("the reader has stopped")

func (w *wholeWrites) Write(p []byte) (int, error) {
	if !bytes.HasSuffix(p, []byte("\n")) && !bytes.HasSuffix(p, []byte(`"}`)) {
		w.t.Errorf("a write ends in %q", p[len(p)-min(len(p), 20):])
	}
	if w.left--; w.left < 0 {
		return 0, errStopped
	}
	return len(p), nil
}

func TestNoWriteEndsWithinATicket(t *testing.T) {
	signer, err := keystore.NewRawSigner([]byte(mintKey))
	require.NoError(t, err)
	h, err := NewBatchHeader(signer.Address(), mintParams(), mintRound(), pm.NonceRange{First: 1, Count: 3000})
	require.NoError(t, err)
	for _, format := range []string{JSON, NDJSON, JSONLine} {
		require.NoError(t, mintInto(&wholeWrites{t, 100}, format, signer, h))
		require.ErrorIs(t, mintInto(&wholeWrites{t, 3}, format, signer, h), errStopped)
	}
}
