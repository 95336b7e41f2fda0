package store

import (
	"database/sql"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

// requested reserves tickets for a request and returns it as two processes read it.
func requested(t *testing.T, c *Chain, id string) (a, b *Record) {
	t.Helper()
	me, request := common.Address{1}, Request{ID: id, Digest: "d", Record: []byte("made of")}
	_, err := c.Reserve(t.Context(), Spend{Sender: me, Params: params(1), Count: 3, Request: &request})
	require.NoError(t, err)
	for _, into := range []**Record{&a, &b} {
		*into, err = c.Requested(t.Context(), me, request)
		require.NoError(t, err)
	}
	return a, b
}

// Each change of a request says what it was read as, and fails when it is not that.
func TestARequestIsChangedAsRead(t *testing.T) { onEach(t, aRequestIsChangedAsRead) }

func aRequestIsChangedAsRead(t *testing.T, place place) {
	c, me, ctx := open(t, place(t)).Chain(testChain), common.Address{1}, t.Context()

	a, b := requested(t, c, "one delivers")
	require.NoError(t, c.BeginDelivery(ctx, me, a))
	require.Equal(t, 1, a.Deliveries)
	var moved *RequestMovedError
	require.ErrorAs(t, c.BeginDelivery(ctx, me, b), &moved, "b has read it as reserved")
	require.Equal(t, Sent, moved.Now.State)
	errorAs[*RequestMovedError](t, c.ReleaseRequest(ctx, me, b))
	b = moved.Now
	require.NoError(t, c.BeginDelivery(ctx, me, b), "who knows of the first delivery may begin another")
	require.Equal(t, 2, b.Deliveries)
	after, err := c.EndDelivery(ctx, me, b, Refused, "seen before")
	require.NoError(t, err)
	require.Equal(t, Sent, after.State, "it may be refused because a was accepted")
	after, err = c.EndDelivery(ctx, me, a, Accepted, "")
	require.NoError(t, err)
	require.Equal(t, Accepted, after.State)

	a, b = requested(t, c, "none leaves")
	require.NoError(t, c.BeginDelivery(ctx, me, a))
	*b = *a
	require.NoError(t, c.BeginDelivery(ctx, me, b))
	after, err = c.EndDelivery(ctx, me, b, Reserved, "")
	require.NoError(t, err)
	require.Equal(t, Sent, after.State, "a may be on its way")
	errorAs[*RequestMovedError](t, c.ReleaseRequest(ctx, me, after))
	after, err = c.EndDelivery(ctx, me, a, Reserved, "")
	require.NoError(t, err)
	require.Equal(t, Reserved, after.State)
	require.NoError(t, c.ReleaseRequest(ctx, me, after))
	errorAs[*RequestMovedError](t, c.BeginDelivery(ctx, me, after))

	a, b = requested(t, c, "none leaves")
	errorAs[*RequestMovedError](t, c.BeginDelivery(ctx, me, after))
	require.NoError(t, c.BeginDelivery(ctx, me, a))
	after, err = c.EndDelivery(ctx, me, a, Refused, "no")
	require.NoError(t, err)
	require.Equal(t, Refused, after.State)
	require.Equal(t, "no", after.Outcome)
	require.ErrorAs(t, c.BeginDelivery(ctx, me, b), &moved)
	require.Equal(t, Refused, moved.Now.State)
	errorAs[*RequestMovedError](t, c.BeginDelivery(ctx, me, after))

	a, _ = requested(t, c, "nothing begun")
	_, err = c.EndDelivery(ctx, me, a, Reserved, "")
	require.ErrorIs(t, err, ErrDamaged)
}

// Requests of a store that counted no deliveries may have been sent by several processes.
func TestVersion6CountsDeliveries(t *testing.T) { onEach(t, version6CountsDeliveries) }

func version6CountsDeliveries(t *testing.T, place place) {
	path := place(t)
	s := open(t, path)
	c, me := s.Chain(testChain), common.Address{1}
	for _, state := range []string{"reserved", "sent", "accepted", "refused"} {
		requested(t, c, state)
		change(t, s, `UPDATE requests SET state = $1, outcome = 'sent again' WHERE request_id = $1`, state)
	}
	change(t, s, `ALTER TABLE requests DROP COLUMN deliveries`)
	require.NoError(t, s.tx(t.Context(), true, func(tx *sql.Tx) error {
		for _, statement := range version6 {
			if _, err := tx.ExecContext(t.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	}))
	for state, want := range map[State]int{Reserved: 0, Sent: 2, Accepted: 1, Refused: 1} {
		r, err := c.Requested(t.Context(), me, Request{ID: string(state), Digest: "d"})
		require.NoError(t, err)
		require.Equal(t, want, r.Deliveries, state)
		require.Equal(t, state == Sent, r.Outcome == "", state)
	}
}
