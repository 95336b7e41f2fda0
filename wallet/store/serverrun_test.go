package store

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
)

// lookAt tells what became of a run, in a transaction of its own.
func lookAt(t *testing.T, s *Store, at run, token string) (became fate) {
	t.Helper()
	err := s.read(t.Context(), func(tx *sql.Tx) (err error) {
		became, err = at.look(t.Context(), tx, token)
		return err
	})
	require.NoError(t, err)
	return became
}

// A run that has ended counts as ended at once, not when its server has noticed that a
// connection is gone.
func TestAnEndedRunIsGoneAtOnce(t *testing.T) {
	location := server.Database(t)
	s := open(t, location)
	watching := s.backend.newRun(s.db)
	for range 100 {
		used := open(t, location)
		ended := used.backend.newRun(used.db)
		token, err := ended.begin(t.Context())
		require.NoError(t, err)
		require.Equal(t, alive, lookAt(t, s, watching, token))
		require.NoError(t, used.Close(), "as a command ends: the store first, the run last")
		require.NoError(t, ended.end())
		require.Equal(t, gone, lookAt(t, s, watching, token))
	}
}

// Two that look at one run do not take each other for it.
func TestLookingAtARunKeepsItForNobody(t *testing.T) {
	s := open(t, server.Database(t))
	watching := s.backend.newRun(s.db)
	err := s.read(t.Context(), func(tx *sql.Tx) error {
		became, err := watching.look(t.Context(), tx, "ended")
		require.NoError(t, err)
		require.Equal(t, gone, became)
		require.Equal(t, gone, lookAt(t, s, watching, "ended"))
		return nil
	})
	require.NoError(t, err)
}

// A server learns within half a minute that the machine of a run lost its power or its
// network, and not after the two hours that are usual.
func TestAServerNoticesAMachineThatIsGone(t *testing.T) {
	s := open(t, server.Database(t))
	r := s.backend.newRun(s.db).(*serverRun)
	_, err := r.begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, r.end()) }()
	for name, most := range map[string]int{"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 4, "tcp_user_timeout": 30000} {
		var value int
		require.NoError(t, r.conn.QueryRowContext(t.Context(), `SELECT setting::int FROM pg_settings WHERE name = $1`, name).Scan(&value))
		require.Positive(t, value, name)
		require.LessOrEqual(t, value, most, name)
	}
}
