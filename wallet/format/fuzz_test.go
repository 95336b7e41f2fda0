package format

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
)

// FuzzDecode holds that whatever is read can be written again, and then reads as the
// same.
func FuzzDecode(f *testing.F) {
	for _, whole := range documents(f) {
		f.Add(whole)
		f.Add(whole[:len(whole)/2])
	}
	f.Add([]byte("Livepeer-Payment: CgA="))
	f.Fuzz(func(t *testing.T, input []byte) {
		d, err := Decode(bytes.NewReader(input))
		if err != nil {
			require.Nil(t, d)
			require.NotEmpty(t, err.Error())
			return
		}
		switch d.Form {
		case ParamsForm:
			require.NotNil(t, d.Params)
			var out bytes.Buffer
			require.NoError(t, Write(&out, KindParams, d.Params))
			again, err := Decode(&out)
			require.NoError(t, err)
			_, err = d.Params.TicketParams()
			require.NoError(t, err)
			require.True(t, d.Params.FetchedAt.Equal(again.Params.FetchedAt))
			again.Params.FetchedAt = d.Params.FetchedAt
			require.Equal(t, d.Params, again.Params)
		case JSON, NDJSON:
			var out bytes.Buffer
			w, err := NewBatchWriter(&out, d.Form)
			require.NoError(t, err)
			require.NoError(t, w.Begin(d.Header))
			for _, sp := range d.Batch.SenderParams {
				require.NoError(t, w.Ticket(pm.TicketSenderParams{SenderNonce: sp.SenderNonce, Sig: sp.Sig}))
			}
			require.NoError(t, w.End())
			again, err := Decode(&out)
			require.NoError(t, err)
			require.Equal(t, d.Header, again.Header)
			require.Equal(t, d.Batch, again.Batch)
		case Payment, Headers:
			require.Len(t, d.Batch.SenderParams, int(d.Header.Tickets))
			require.Len(t, d.Batch.Tickets(), int(d.Header.Tickets))
		case Segment:
			require.NotNil(t, d.Segment.AuthToken)
		default:
			t.Fatalf("form %q", d.Form)
		}
	})
}

// FuzzRead holds that what is read as one kind of document is written as it was read.
func FuzzRead(f *testing.F) {
	whole := documents(f)[ParamsForm]
	f.Add(whole)
	f.Add(bytes.TrimSpace(whole))
	f.Add([]byte(`{"kind":"pmctl.params","version":2,"data":null}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		p := new(Params)
		if Read(bytes.NewReader(input), KindParams, p) != nil {
			return
		}
		var out, again bytes.Buffer
		require.NoError(t, Write(&out, KindParams, p))
		text := out.String()
		read := new(Params)
		require.NoError(t, Read(&out, KindParams, read))
		require.NoError(t, Write(&again, KindParams, read))
		require.Equal(t, text, again.String())
	})
}
