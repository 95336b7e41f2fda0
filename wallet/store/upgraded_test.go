package store

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// TestAStoreThatIsUpgradedInUse: a process of an older pmctl, such as a replica of a remote signer,
// changes nothing once a newer one has upgraded the store.
func TestAStoreThatIsUpgradedInUse(t *testing.T) { onEach(t, aStoreThatIsUpgradedInUse) }

func aStoreThatIsUpgradedInUse(t *testing.T, place place) {
	s := open(t, place(t))
	pay(t, s, liveRequest(1, 1))
	setVersion := func(version int) {
		require.NoError(t, s.db.Write(t.Context(), func(tx *db.Tx) error { return tx.Exec(updateMeta, strconv.Itoa(version), metaVersion) }))
	}
	setVersion(schemaVersion + 1)
	_, err := livePayments(s).Pay(t.Context(), liveRequest(2, 1))
	require.ErrorIs(t, err, ErrSchema)
	_, err = s.Chain(testChain).ReserveNonces(t.Context(), liveSender, params(3), 1, 0)
	require.ErrorIs(t, err, ErrSchema)
	setVersion(schemaVersion)
	require.EqualValues(t, 1, spentTickets(t, s))
	pay(t, s, liveRequest(2, 1))
}
