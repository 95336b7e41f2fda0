package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSoakPooler goes through a real pgbouncer. If it shares a session between clients no
// transaction is begun, since other runs could not see that this one is alive; tickets are
// made, which need no lock between transactions. Check reports it.
func TestSoakPooler(t *testing.T) {
	for mode, works := range map[string]bool{"session": true, "transaction": false} {
		t.Run(mode, func(t *testing.T) {
			location := server.Pooler(t, server.Database(t), mode)
			s := open(t, location)
			reserve(t, s, params(1), 3)
			if _, err := Check(t.Context(), location); works {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, "a connection pooler")
			}
			for range 5 {
				journal := s.Journal("1337/devnet")
				_, err := journal.Resume(t.Context(), payer, "", "fund")
				if works {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, ErrAccess)
					require.ErrorContains(t, err, "a connection pooler")
				}
				require.NoError(t, journal.Close())
			}
		})
	}
}
