package store

import (
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

func TestRecipientOfAURL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	c, me, url := s.Chain(testChain), common.Address{1}, "https://recipient:8935"
	recipient := func(c *Chain, sender common.Address, url string) common.Address {
		found, err := c.Recipient(t.Context(), sender, url)
		require.NoError(t, err)
		return found
	}
	require.Zero(t, recipient(c, me, url))
	require.NoError(t, c.SaveRecipients(t.Context(), me, map[string]common.Address{url: common.Address{2}}))
	require.Equal(t, common.Address{2}, recipient(c, me, url))
	require.Zero(t, recipient(c, common.Address{9}, url), "each sender has its own")
	require.Zero(t, recipient(s.Chain(1), me, url), "and each chain")
	require.Zero(t, recipient(c, me, "https://other:8935"))
	require.NoError(t, c.DropParams(t.Context(), me, url), "a session that ends changes nothing")
	require.NoError(t, s.Close())

	again := open(t, path).Chain(testChain)
	require.Equal(t, common.Address{2}, recipient(again, me, url))
	require.NoError(t, again.SaveRecipients(t.Context(), me, map[string]common.Address{url: common.Address{3}}))
	require.Equal(t, common.Address{3}, recipient(again, me, url))

	_, err := again.store.db.Exec(`UPDATE recipients SET recipient = 'nobody'`)
	require.NoError(t, err)
	_, err = again.Recipient(t.Context(), me, url)
	require.ErrorIs(t, err, ErrDamaged)
}
