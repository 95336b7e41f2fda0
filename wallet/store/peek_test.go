package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

func TestPeek(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	_, err := PeekAt(t.Context(), path)
	require.ErrorIs(t, err, ErrNoStore)
	require.NoFileExists(t, path, "a peek creates nothing")
	_, err = PeekAt(t.Context(), "postgres://127.0.0.1:1/pmctl")
	require.ErrorIs(t, err, ErrNoStore, "a peek asks no server")
	require.NoError(t, os.WriteFile(path+"x", make([]byte, 2*db.SmallestFile), 0o600))
	_, err = PeekAt(t.Context(), path+"x")
	require.ErrorIs(t, err, ErrNotStore)

	s := open(t, path)
	chain := s.Chain(testChain)
	_, err = chain.PinRecipients(t.Context(), common.Address{1}, []Pin{{"https://b:8935", common.Address{2}}}, nil)
	require.NoError(t, err)
	_, err = s.Chain(1).PinRecipients(t.Context(), common.Address{1}, []Pin{{"https://c:8935", common.Address{3}}}, nil)
	require.NoError(t, err)

	// Also while the store is in use.
	g, err := PeekAt(t.Context(), path)
	require.NoError(t, err)
	defer g.Close()
	recipients, err := g.Recipients(t.Context(), testChain)
	require.NoError(t, err)
	require.Equal(t, []KnownRecipient{{"https://b:8935", common.Address{2}}}, recipients)
	transactions, err := g.Transactions(t.Context(), "1337/0x")
	require.NoError(t, err)
	require.Empty(t, transactions)

	_, err = s.db.Pool.Exec(`UPDATE meta SET value = '1' WHERE name = $1`, metaVersion)
	require.NoError(t, err)
	_, err = PeekAt(t.Context(), path)
	require.ErrorIs(t, err, ErrNoStore, "a store of another version is not read")
}
