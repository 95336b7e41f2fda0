package store

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/internal/tx"
)

// TestAnIntentWithoutAnAnswerIsNamed: the connection is lost, or the user ends the command, while the
// journal stores an intent. The error names the intent, and so does the next command that has to wait
// for it.
func TestAnIntentWithoutAnAnswerIsNamed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Run("a connection that is lost", func(t *testing.T) { testUncertainIntent(t, t.Context(), func() {}) })
	t.Run("a command that is ended", func(t *testing.T) { testUncertainIntent(t, ctx, cancel) })
}

func testUncertainIntent(t *testing.T, ctx context.Context, onCommit func()) {
	location := server.Database(t)
	direct := open(t, location)
	journal := newAccountant(t, direct)

	var address string
	edit(t, location, func(u *url.URL) { address = u.Host })
	through, err := connect(edit(t, location, func(u *url.URL) { u.Host = dropAnswer(t, address, onCommit) }), nil)
	require.NoError(t, err)
	defer through.Close()
	through.setID(direct.ID())
	lossy := &Journal{store: through, network: journal.network, run: direct.db.NewRun()}
	intent := &tx.Intent{Account: payer, Label: "fund 1"}
	err = lossy.Begin(ctx, intent, slot(0, 1))
	require.NoError(t, lossy.Close())
	require.ErrorIs(t, err, tx.ErrUncertain)
	require.ErrorIs(t, err, ErrUncertain)
	hash := unsigned(0, 1).Hash()
	require.ErrorContains(t, err, hash.Hex())
	next, _ := hint.Of(err)
	require.Contains(t, next, "run the same command again")
	require.Empty(t, intent.ID)

	later := slot(0, 2)
	later.Agree = tx.Terms{}.Agree
	err = journal.Begin(t.Context(), &tx.Intent{Account: payer, Label: "fund 2"}, later)
	var pending *tx.PendingError
	require.ErrorAs(t, err, &pending)
	require.Contains(t, err.Error(), hash.Hex())
	require.Equal(t, hash, journal.resumed("", "fund 1").Newest().Hash(), "the same command continues it")
}
