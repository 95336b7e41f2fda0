package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// header returns the header of count tickets from nonce first on.
func header(t testing.TB, first, count uint32) *BatchHeader {
	h, err := NewBatchHeader(common.Address{1}, mintParams(), mintRound(), pm.NonceRange{First: first, Count: count})
	require.NoError(t, err)
	return h
}

func mintParams() *pm.TicketParams {
	return &pm.TicketParams{
		Recipient:       common.Address{2},
		FaceValue:       big.NewInt(1000),
		WinProb:         new(big.Int).Lsh(big.NewInt(1), 250),
		Seed:            big.NewInt(3),
		ExpirationBlock: big.NewInt(4),
		PricePerPixel:   big.NewRat(7, 3),
	}
}

func mintRound() pm.TicketExpirationParams {
	return pm.TicketExpirationParams{CreationRound: 5, CreationRoundBlockHash: common.Hash{6}}
}

// ticket returns a ticket whose signature is of no use.
func ticket(nonce uint32) pm.TicketSenderParams {
	return pm.TicketSenderParams{SenderNonce: nonce, Sig: bytes.Repeat([]byte{byte(nonce)}, 65)}
}

func TestDocumentsAreWhatTheJSONPackageWrites(t *testing.T) {
	for _, count := range []uint32{0, 1, 3} {
		h := header(t, 9, count)
		all := batch{BatchHeader: *h, Signatures: []Ticket{}}
		var whole, lines bytes.Buffer
		document, _ := NewBatchWriter(&whole, JSON)
		ndjson, _ := NewBatchWriter(&lines, NDJSON)
		require.NoError(t, errors.Join(document.Begin(h), ndjson.Begin(h)))
		for nonce := uint32(9); nonce < 9+count; nonce++ {
			all.Signatures = append(all.Signatures, Ticket{nonce, Sig(ticket(nonce).Sig)})
			require.NoError(t, errors.Join(document.Ticket(ticket(nonce)), ndjson.Ticket(ticket(nonce))))
		}
		require.NoError(t, errors.Join(document.End(), ndjson.End()))

		want, err := json.Marshal(envelope{Kind: KindBatch, Version: Version, Data: all})
		require.NoError(t, err)
		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, whole.Bytes()))
		require.Equal(t, string(want), compact.String())
		require.Equal(t, byte('\n'), whole.Bytes()[whole.Len()-1])

		decoder := json.NewDecoder(&lines)
		var first struct{ Data BatchHeader }
		require.NoError(t, decoder.Decode(&first))
		require.Equal(t, *h, first.Data)
		for _, want := range all.Signatures {
			var got Ticket
			require.NoError(t, decoder.Decode(&got))
			require.Equal(t, want, got)
		}
		require.ErrorIs(t, decoder.Decode(new(Ticket)), io.EOF)
	}
}

func TestAnEmptyBatchComesBack(t *testing.T) {
	segment := loadGolden(t).Segments[0].LivepeerSegment
	for _, format := range formats() {
		var out bytes.Buffer
		w, err := NewBatchWriter(&out, format)
		require.NoError(t, err)
		h := header(t, 0, 0)
		h.Segment = segment
		require.NoError(t, w.Begin(h))
		require.NoError(t, w.End())
		d, err := Decode(&out)
		require.NoError(t, err, format)
		require.Equal(t, format, d.Form)
		require.Empty(t, d.Batch.SenderParams)
	}
}

func TestWritersRefuse(t *testing.T) {
	_, err := NewBatchWriter(io.Discard, "yaml")
	require.ErrorIs(t, err, ErrFormat)

	for _, format := range formats() {
		t.Run(format, func(t *testing.T) {
			h := header(t, 1, 2)
			h.Segment = loadGolden(t).Segments[0].LivepeerSegment
			var out bytes.Buffer
			begin := func() BatchWriter {
				w, err := NewBatchWriter(&out, format)
				require.NoError(t, err)
				require.NoError(t, w.Begin(h))
				return w
			}
			field := func(err error) string {
				var field *wire.FieldError
				require.ErrorAs(t, err, &field)
				return field.Field
			}
			require.Equal(t, "nonce", field(begin().Ticket(ticket(2))), "one left out")
			w := begin()
			require.NoError(t, w.Ticket(ticket(1)))
			require.Equal(t, "nonce", field(w.Ticket(ticket(1))), "one twice")
			require.Equal(t, "tickets", field(w.End()), "one missing")
			require.NoError(t, w.Ticket(ticket(2)))
			require.Equal(t, "tickets", field(w.Ticket(ticket(3))), "one too many")
			require.ErrorIs(t, w.Begin(h), errOrder)
			require.NoError(t, w.End())
			require.Equal(t, "sig", field(begin().Ticket(pm.TicketSenderParams{SenderNonce: 1, Sig: make([]byte, 64)})))

			unbegun, err := NewBatchWriter(&out, format)
			require.NoError(t, err)
			require.ErrorIs(t, unbegun.End(), errOrder)
			require.ErrorIs(t, unbegun.Ticket(ticket(1)), errOrder)

			out.Reset()
			for name, spoil := range map[string]func(*BatchHeader){
				"ticket_ev_exact":                  func(h *BatchHeader) { h.TicketEV = NewTicketEV(big.NewRat(1, 1)) },
				"ticket_ev_wei":                    func(h *BatchHeader) { h.TicketEVWei = NewCeil(big.NewRat(1, 1)) },
				"first_nonce":                      func(h *BatchHeader) { h.FirstNonce = 0 },
				"tickets":                          func(h *BatchHeader) { h.FirstNonce = math.MaxUint32 },
				"expected_price.pixels_per_unit":   func(h *BatchHeader) { h.Price.PixelsPerUnit = 0 },
				"expiration_params.creation_round": func(h *BatchHeader) { h.ExpirationParams.CreationRound = -1 },
				"ticket_params.expiration_params":  func(h *BatchHeader) { h.Offer.ExpirationParams = &ExpirationParams{} },
			} {
				spoilt := *h
				spoil(&spoilt)
				w, err := NewBatchWriter(&out, format)
				require.NoError(t, err)
				require.Equal(t, name, field(w.Begin(&spoilt)))
			}
			for _, segment := range []string{"Cg==\r\nX-Other: 1", h.Segment + "\r\nX-Other: 1", h.Segment[:8] + "\n" + h.Segment[8:], h.Segment + "\n"} {
				spoilt := *h
				spoilt.Segment = segment
				w, err = NewBatchWriter(&out, format)
				require.NoError(t, err)
				require.ErrorIs(t, w.Begin(&spoilt), wire.ErrNotHeader, "%q", segment)
			}
			require.Zero(t, out.Len(), "nothing is written before the header is found good")
		})
	}
	w, err := NewBatchWriter(io.Discard, Headers)
	require.NoError(t, err)
	require.ErrorIs(t, w.Begin(header(t, 1, 1)), ErrNoSegment)
}

func TestABatchThatFitsNoHeaderIsRefusedBeforeItIsSigned(t *testing.T) {
	w, err := NewBatchWriter(io.Discard, Payment)
	require.NoError(t, err)
	require.ErrorIs(t, w.Begin(header(t, 1, 1_000_000)), ErrTooLarge)

	// The largest that begins is either written so that it can be read, or refused.
	most := uint32(wire.MaxHeader / 4 * 3 / leastTicket)
	var out bytes.Buffer
	for _, count := range []uint32{most, 10_000} {
		out.Reset()
		w, err = NewBatchWriter(&out, Payment)
		require.NoError(t, err)
		require.NoError(t, w.Begin(header(t, 1, count)))
		for nonce := uint32(1); nonce <= count; nonce++ {
			require.NoError(t, w.Ticket(ticket(nonce)))
		}
		err = w.End()
		if count == most {
			require.ErrorIs(t, err, ErrTooLarge)
			require.Zero(t, out.Len())
		}
	}
	require.NoError(t, err)
	d, err := Decode(&out)
	require.NoError(t, err)
	require.Len(t, d.Batch.SenderParams, 10_000)
}

func TestAFailedWriteIsReported(t *testing.T) {
	full := errors.New("no space left")
	for _, format := range formats() {
		w, err := NewBatchWriter(failing{full}, format)
		require.NoError(t, err)
		h := header(t, 1, 2)
		h.Segment = loadGolden(t).Segments[0].LivepeerSegment
		require.NoError(t, errors.Join(w.Begin(h), w.Ticket(ticket(1)), w.Ticket(ticket(2))))
		require.ErrorIs(t, w.End(), full, format)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestStreamedTicketsTakeNoMemory(t *testing.T) {
	for _, format := range []string{JSON, NDJSON} {
		w, err := NewBatchWriter(io.Discard, format)
		require.NoError(t, err)
		require.NoError(t, w.Begin(header(t, 1, 100_000)))
		next := ticket(0)
		allocs := testing.AllocsPerRun(10_000, func() {
			next.SenderNonce++
			if err := w.Ticket(next); err != nil {
				t.Error(err)
			}
		})
		require.Zero(t, allocs, format)
	}
}

func BenchmarkTicket(b *testing.B) {
	for _, format := range formats()[:2] {
		b.Run(format, func(b *testing.B) {
			w, _ := NewBatchWriter(io.Discard, format)
			if err := w.Begin(header(b, 1, math.MaxUint32)); err != nil {
				b.Fatal(err)
			}
			next := ticket(0)
			b.ReportAllocs()
			for b.Loop() {
				next.SenderNonce++
				if err := w.Ticket(next); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
