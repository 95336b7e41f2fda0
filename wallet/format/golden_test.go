package format

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// golden is what the network's reference implementation computed.
type golden struct {
	Payments []goldenPayment
	Segments []struct {
		Name            string
		LivepeerSegment string
		ManifestID      string `json:"manifestId"`
	}
}

type goldenPayment struct {
	Name                   string
	Sender                 common.Address
	Count                  uint32
	OrchestratorInfoBase64 string
	SenderParams           []struct {
		SenderNonce uint32
		Sig         hexutil.Bytes
	}
	Header string
}

func loadGolden(t testing.TB) golden {
	text, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var g golden
	require.NoError(t, json.Unmarshal(text, &g))
	require.NotEmpty(t, g.Payments)
	require.NotEmpty(t, g.Segments)
	return g
}

// info returns the recipient's answer that the payment was made from.
func (g goldenPayment) info(t testing.TB) *wire.OrchestratorInfo {
	data, err := base64.StdEncoding.DecodeString(g.OrchestratorInfoBase64)
	require.NoError(t, err)
	info := new(wire.OrchestratorInfo)
	require.NoError(t, proto.Unmarshal(data, info))
	return info
}

// document returns the answer's document.
func (g goldenPayment) document(t testing.TB) *Params {
	p, err := ParamsFromInfo(g.info(t), g.Sender, "https://127.0.0.1:8935", "store", time.Unix(1_700_000_000, 0))
	require.NoError(t, err)
	return p
}

// header returns the header of the payment's tickets.
func (g goldenPayment) header(t testing.TB, segment string) *BatchHeader {
	params, err := g.document(t).TicketParams()
	require.NoError(t, err)
	h, err := NewBatchHeader(g.Sender, params, *params.ExpirationParams, pm.NonceRange{First: g.SenderParams[0].SenderNonce, Count: g.Count})
	require.NoError(t, err)
	h.Segment = segment
	return h
}

// write writes the payment's tickets in a format.
func (g goldenPayment) write(t testing.TB, format, segment string) []byte {
	var out bytes.Buffer
	w, err := NewBatchWriter(&out, format)
	require.NoError(t, err)
	require.NoError(t, w.Begin(g.header(t, segment)))
	reused := make([]byte, 65)
	for _, sp := range g.SenderParams {
		copy(reused, sp.Sig)
		require.NoError(t, w.Ticket(pm.TicketSenderParams{SenderNonce: sp.SenderNonce, Sig: reused}))
		clear(reused)
	}
	require.NoError(t, w.End())
	return out.Bytes()
}

func formats() []string { return []string{JSON, NDJSON, Payment, Headers} }

func TestGoldenPaymentsFromTheDocuments(t *testing.T) {
	g := loadGolden(t)
	segment := g.Segments[0].LivepeerSegment
	for _, c := range g.Payments {
		t.Run(c.Name, func(t *testing.T) {
			var text bytes.Buffer
			require.NoError(t, Write(&text, KindParams, c.document(t)))
			read, err := ReadParams(&text)
			require.NoError(t, err)
			require.Equal(t, c.document(t), read)

			require.Equal(t, c.Header+"\n", string(c.write(t, Payment, "")))
			require.Equal(t, "Livepeer-Payment: "+c.Header+"\nLivepeer-Segment: "+segment+"\n", string(c.write(t, Headers, segment)))
		})
	}
}

func TestGoldenBatchesComeBack(t *testing.T) {
	g := loadGolden(t)
	segment := g.Segments[0].LivepeerSegment
	for _, c := range g.Payments {
		payment, err := wire.DecodePaymentHeader(c.Header)
		require.NoError(t, err)
		want, err := payment.Batch()
		require.NoError(t, err)
		for _, format := range formats() {
			t.Run(c.Name+" "+format, func(t *testing.T) {
				d, err := Decode(bytes.NewReader(c.write(t, format, segment)))
				require.NoError(t, err)
				require.Equal(t, format, d.Form)
				require.Equal(t, want, d.Batch)
				require.Equal(t, c.Count, d.Header.Tickets)
				require.Equal(t, c.SenderParams[0].SenderNonce, d.Header.FirstNonce)
				require.Equal(t, want.EV().String(), d.Header.TicketEVExact.String())
				if format == Payment {
					require.Nil(t, d.Segment)
				} else {
					require.Equal(t, g.Segments[0].ManifestID, string(d.Segment.ManifestId))
				}
			})
		}
	}
}

func TestDecodeHeaders(t *testing.T) {
	g := loadGolden(t)
	payment, segment := g.Payments[0].Header, g.Segments[0].LivepeerSegment
	for name, c := range map[string]struct{ input, form string }{
		"a payment's value":      {payment, Payment},
		"with space around":      {"\r\n  " + payment + "\r\n", Payment},
		"a segment's value":      {segment + "\n", Segment},
		"a payment's line":       {"Livepeer-Payment: " + payment, Payment},
		"without a space":        {"Livepeer-Payment:" + payment, Payment},
		"a segment's line":       {"livepeer-segment: " + segment, Segment},
		"both":                   {"LIVEPEER-PAYMENT: " + payment + "\nLivepeer-segment: " + segment + "\n", Headers},
		"the other way round":    {"Livepeer-Segment: " + segment + "\r\nLivepeer-Payment: " + payment + "\r\n\r\n", Headers},
		"with a line in between": {"Livepeer-Segment: " + segment + "\n\nLivepeer-Payment: " + payment + "\n", Headers},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Decode(bytes.NewReader([]byte(c.input)))
			require.NoError(t, err)
			require.Equal(t, c.form, d.Form)
			require.Equal(t, c.form != Segment, d.Batch != nil)
			require.Equal(t, c.form != Payment, d.Segment != nil)
		})
	}
	for name, input := range map[string]string{
		"two payments":       "Livepeer-Payment: " + payment + "\nLivepeer-Payment: " + payment,
		"another header":     "Livepeer-Payment: " + payment + "\nContent-Length: 0",
		"a value and a line": payment + "\nLivepeer-Segment: " + segment,
		"two values":         payment + "\n" + segment,
		"names mixed up":     "Livepeer-Segment: " + payment,
		"no value":           "Livepeer-Payment:",
		"no base64":          "Livepeer-Payment: ***",
		"a word":             "hello",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(bytes.NewReader([]byte(input)))
			require.ErrorIs(t, err, ErrSyntax)
			require.NotContains(t, err.Error(), "hello", "what is given by mistake may be a secret")
		})
	}
}
