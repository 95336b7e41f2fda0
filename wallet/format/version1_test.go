package format

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The documents in testdata/version1 are as pmctl wrote them before version 2.

func versionOne(t testing.TB, name string) []byte {
	text, err := os.ReadFile(filepath.Join("testdata", "version1", name))
	require.NoError(t, err)
	require.Regexp(t, `"version": ?1\b`, string(text))
	return text
}

func TestVersion1IsRead(t *testing.T) {
	params, err := ReadParams(bytes.NewReader(versionOne(t, "params.json")))
	require.NoError(t, err)
	require.Equal(t, "4000000000000", params.Offer.FaceValue.Decimal())

	for _, name := range []string{"batch.json", "batch.ndjson"} {
		d, err := Decode(bytes.NewReader(versionOne(t, name)))
		require.NoError(t, err, name)
		require.Len(t, d.Batch.SenderParams, 3)
		require.Equal(t, uint32(3), d.Header.Tickets)
		require.Equal(t, d.Batch.EV(), d.Header.TicketEVExact.Rat)
		require.Equal(t, params.Offer.ExpirationBlock, d.Header.Offer.ExpirationBlock)

		d, lines, err := NewDocuments(bytes.NewReader(versionOne(t, name))).Next()
		require.NoError(t, err, name)
		require.Equal(t, name == "batch.ndjson", lines != nil)
		require.Equal(t, uint32(3), d.Header.Tickets)
	}

	unsigned, err := ReadUnsigned(bytes.NewReader(versionOne(t, "unsigned.json")))
	require.NoError(t, err)
	require.Equal(t, "fund deposit=500000000000000000 reserve=0", unsigned.Label)
	document, err := ReadSigned(bytes.NewReader(versionOne(t, "signed.json")))
	require.NoError(t, err)
	signed, err := document.Signed()
	require.NoError(t, err)
	require.Equal(t, uint64(unsigned.Nonce), signed.Nonce())
}

// What is read as version 1 and written is version 2, which reads as the same.
func TestVersion1BecomesVersion2(t *testing.T) {
	params, err := ReadParams(bytes.NewReader(versionOne(t, "params.json")))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, Write(&out, KindParams, params))
	require.Contains(t, out.String(), `"version": 2`)
	again, err := ReadParams(&out)
	require.NoError(t, err)
	require.Equal(t, params, again)

	before, err := params.VersionOneText()
	require.NoError(t, err)
	var compact bytes.Buffer
	var document struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(versionOne(t, "params.json"), &document))
	require.NoError(t, json.Compact(&compact, document.Data))
	require.Equal(t, compact.String(), string(before), "the digests of requests are made of it")
}

// Version 1 is read as strictly as before, and is no way around what version 2 refuses.
func TestVersion1IsReadStrictly(t *testing.T) {
	batch, params := string(versionOne(t, "batch.json")), string(versionOne(t, "params.json"))
	for name, c := range map[string]struct{ input, old, new, says string }{
		"a number without quotes": {params, `"expiration_block": "`, `"expiration_block": 5, "unknown": "`, "data.ticket_params.expiration_block"},
		"a leading zero":          {batch, `"creation_round": "`, `"creation_round": "0`, "data.expiration_params.creation_round"},
		"another face value":      {batch, `"face_value": "4`, `"face_value": "5`, "ticket_ev_exact"},
		"an EV as a float":        {batch, `"ev": "`, `"ev": "1e9", "unknown": "`, "data.ev"},
		"an EV as a number":       {batch, `"ev": "`, `"ev": 1, "unknown": "`, "data.ev"},
		"an EV of many digits":    {batch, `"ev": "`, `"ev": "1` + strings.Repeat("0", 1<<16) + `", "unknown": "`, ""},
		"a name twice":            {batch, `"count": 3`, `"count": 3, "count": 3`, "data.count is there twice"},
		"both names":              {batch, `"ev"`, `"ticket_ev_wei": "1", "ev"`, "data.ticket_ev_wei is there twice"},
		"too few tickets":         {batch, `"count": 3`, `"count": 4`, "signatures: got 3, want 4"},
		"an unknown field":        {params, `"seed"`, `"more": 1, "seed"`, `unknown field "more"`},
		"a field too few":         {batch, `"count": 3,`, ``, "data.tickets is missing"},
		"version 2's form":        {strings.Replace(batch, `"version": 1`, `"version": 2`, 1), "3", "3", "number"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, c.input, c.old)
			_, err := Decode(strings.NewReader(strings.Replace(c.input, c.old, c.new, 1)))
			require.ErrorIs(t, err, ErrSyntax)
			require.ErrorContains(t, err, c.says)
		})
	}
	// Documents that are not written to files have one version.
	require.ErrorAs(t, Read(strings.NewReader(`{"kind":"x","version":1,"data":{}}`), "x", new(struct{})), new(*VersionError))
}
