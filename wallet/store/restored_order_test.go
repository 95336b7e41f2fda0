package store

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

func TestNoNoncesForParamsOfBefore(t *testing.T) { onEach(t, noNoncesForParamsOfBefore) }

// Two orders were checked under one store ID. The one that comes after the store was found
// restored takes nothing, since its session may have used more nonces.
func noNoncesForParamsOfBefore(t *testing.T, place place) {
	s := open(t, place(t))
	chain := s.Chain(testChain).In(s.ID())
	spend := Spend{Sender: common.Address{1}, Params: params(1), Count: 1}
	_, err := chain.Reserve(t.Context(), spend)
	require.NoError(t, err)
	change(t, s, updateMeta, newID(), metaID) // as a retirement does
	require.ErrorAs(t, s.write(t.Context(), func(*db.Tx) error { return nil }), new(*RestoredError), "the first finds it")
	_, err = chain.Reserve(t.Context(), spend)
	require.ErrorAs(t, err, new(*RestoredError))
}
