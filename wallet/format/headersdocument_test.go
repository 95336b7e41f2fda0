package format

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm/wire"
)

func headersLine(t testing.TB, url, transcoder string) []byte {
	h := header(t, 7, 2)
	h.URL, h.Transcoder, h.Segment = url, transcoder, loadGolden(t).Segments[0].LivepeerSegment
	var line bytes.Buffer
	w, err := NewBatchWriter(&line, HeadersLine)
	require.NoError(t, err)
	require.NoError(t, w.Begin(h))
	require.NoError(t, w.Ticket(ticket(7)))
	require.NoError(t, w.Ticket(ticket(8)))
	require.NoError(t, w.End())
	return line.Bytes()
}

func TestHeadersOfAStreamAreADocumentALine(t *testing.T) {
	for _, c := range []struct{ url, transcoder, posted string }{
		{"https://a.example:8935", "", "https://a.example:8935"},
		{"https://a.example:8935", "https://b.example:8935", "https://b.example:8935"},
		{"", "", ""},
	} {
		line := headersLine(t, c.url, c.transcoder)
		require.Equal(t, len(line)-1, bytes.IndexByte(line, '\n'), "one line")
		if c.posted != "" {
			require.Contains(t, string(line), `"transcoder":"`+c.posted+`"`)
		}
		d, err := Decode(bytes.NewReader(line))
		require.NoError(t, err)
		require.Equal(t, Headers, d.Form)
		require.Len(t, d.Batch.SenderParams, 2)
		require.Equal(t, []any{c.url, c.transcoder}, []any{d.Header.URL, d.Header.Transcoder})
		require.NotNil(t, d.Segment)
	}
}

func TestAHeadersDocumentAgreesWithItsHeaders(t *testing.T) {
	line := string(headersLine(t, "https://a.example", ""))
	for field, change := range map[string][2]string{
		"tickets":             {`"tickets":2`, `"tickets":3`},
		"first_nonce":         {`"first_nonce":7`, `"first_nonce":8`},
		"sender":              {`"sender":"0x01`, `"sender":"0x02`},
		"recipient":           {`"recipient":"0x02`, `"recipient":"0x03`},
		"recipient_rand_hash": {`"recipient_rand_hash":"0x00`, `"recipient_rand_hash":"0x01`},
		"total_ev_wei":        {`"total_ev_wei":"`, `"total_ev_wei":"9`},
		"total_ev_exact":      {`"total_ev_exact":"`, `"total_ev_exact":"9`},
	} {
		changed := strings.Replace(strings.ToLower(line[:strings.Index(line, `"headers"`)]), change[0], change[1], 1) + line[strings.Index(line, `"headers"`):]
		require.NotEqual(t, line, changed, field)
		_, err := Decode(strings.NewReader(changed))
		require.ErrorIs(t, err, ErrSyntax, field)
		var wrong *wire.FieldError
		require.ErrorAs(t, err, &wrong, field)
		require.Contains(t, wrong.Field, field)
	}
	for n := range line[:len(line)-1] {
		_, err := Decode(strings.NewReader(line[:n]))
		require.ErrorIs(t, err, ErrTruncated, "%d bytes", n)
	}
}
