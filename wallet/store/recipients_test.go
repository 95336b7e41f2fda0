package store

import (
	"context"
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
	require.Zero(t, pin(t, c, me, url, 2))
	require.Equal(t, common.Address{2}, recipient(c, me, url))
	require.Zero(t, recipient(c, common.Address{9}, url), "each sender has its own")
	require.Zero(t, recipient(s.Chain(1), me, url), "and each chain")
	require.Zero(t, recipient(c, me, "https://other:8935"))
	require.NoError(t, c.DropParams(t.Context(), me, url), "a session that ends changes nothing")
	require.NoError(t, s.Close())

	again := open(t, path).Chain(testChain)
	require.Equal(t, common.Address{2}, recipient(again, me, url))
	require.Equal(t, common.Address{2}, pin(t, again, me, url, 3), "it is pinned to another")
	require.Equal(t, common.Address{2}, recipient(again, me, url))
	require.Zero(t, pin(t, again, me, url, 3, common.Address{3}), "the user has accepted it")
	require.Equal(t, common.Address{3}, recipient(again, me, url))

	_, err := again.store.db.Pool.Exec(`UPDATE recipients SET recipient = 'no address'`)
	require.NoError(t, err)
	_, err = again.Recipient(t.Context(), me, url)
	require.ErrorIs(t, err, ErrDamaged)
}

// pin pins a recipient, and returns the address that is pinned instead.
func pin(t *testing.T, c *Chain, sender common.Address, url string, recipient byte, accept ...common.Address) common.Address {
	t.Helper()
	others, err := c.PinRecipients(t.Context(), sender, []Pin{{url, common.Address{recipient}}}, accept)
	require.NoError(t, err)
	return others[0]
}

// Of many processes that pin a URL at once one wins, and the others get its address.
func TestOneOfManyPins(t *testing.T) { onEach(t, oneOfManyPins) }

func oneOfManyPins(t *testing.T, place place) {
	path := place(t)
	open(t, path)
	const many = 8
	others := make(chan common.Address, many)
	for i := range byte(many) {
		s, err := Open(t.Context(), path)
		require.NoError(t, err)
		t.Cleanup(func() { s.Close() })
		go func() {
			pins := []Pin{{"https://recipient:8935", common.Address{1 + i}}, {"https://recipient:8935", common.Address{1 + i, 1}}}
			found, err := s.Chain(testChain).PinRecipients(context.Background(), common.Address{1}, pins, nil)
			if err != nil || found[1] == (common.Address{}) {
				t.Errorf("%v: both of %v are pinned", err, pins)
			}
			others <- found[0]
		}()
	}
	won := 0
	var instead []common.Address
	for range many {
		if other := <-others; other == (common.Address{}) {
			won++
		} else {
			instead = append(instead, other)
		}
	}
	require.Equal(t, 1, won)
	pinned, err := open(t, path).Chain(testChain).Recipient(t.Context(), common.Address{1}, "https://recipient:8935")
	require.NoError(t, err)
	for _, other := range instead {
		require.Equal(t, pinned, other)
	}
}
