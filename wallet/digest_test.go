package wallet

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
)

// TestARequestOfVersion1IsTheSame: the store's export has the digest that pmctl computed for these
// params before version 2, so the request is resumed, and not refused as another one.
func TestARequestOfVersion1IsTheSame(t *testing.T) {
	file, err := os.Open("format/testdata/version1/params.json")
	require.NoError(t, err)
	defer file.Close()
	params, err := format.ReadParams(file)
	require.NoError(t, err)
	export, err := os.Open("format/testdata/version1/store.json")
	require.NoError(t, err)
	defer export.Close()
	dump := new(StoreDump)
	require.NoError(t, format.Read(export, format.KindStore, dump))
	require.Len(t, dump.Requests, 1)
	require.Equal(t, uint32(3), dump.Requests[0].Tickets)

	digest, err := (&MintOptions{Params: params, Amount: pay.Amount{Count: 3}}).digest()
	require.NoError(t, err)
	require.Equal(t, dump.Requests[0].Digest, digest)
}
