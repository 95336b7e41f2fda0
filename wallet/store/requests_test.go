package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
)

// requested reserves tickets for a request and returns it as two processes read it.
func requested(t *testing.T, c *Chain, id string) (a, b *Record) {
	t.Helper()
	me, request := common.Address{1}, Request{ID: id, Digest: "d", Record: []byte("made of")}
	_, err := c.Reserve(t.Context(), Spend{Sender: me, Params: params(1), Count: 3, Request: &request})
	require.NoError(t, err)
	for _, into := range []**Record{&a, &b} {
		records, err := c.Requested(t.Context(), me, request)
		require.NoError(t, err)
		require.Len(t, records, 1)
		*into = records[0]
	}
	return a, b
}

// Each change of a request states what was read, and fails if the request has changed.
func TestARequestIsChangedAsRead(t *testing.T) { onEach(t, aRequestIsChangedAsRead) }

func aRequestIsChangedAsRead(t *testing.T, place place) {
	c, me, ctx := open(t, place(t)).Chain(testChain), common.Address{1}, t.Context()

	a, b := requested(t, c, "one delivers")
	require.NoError(t, c.BeginDelivery(ctx, me, a))
	require.Equal(t, 1, a.Deliveries)
	var moved *RequestMovedError
	require.ErrorAs(t, c.BeginDelivery(ctx, me, b), &moved, "b has read it as reserved")
	require.Equal(t, Sent, moved.Now.State)
	errorAs[*RequestMovedError](t, c.ReleaseRequest(ctx, me, Records{b}))
	b = moved.Now
	require.NoError(t, c.BeginDelivery(ctx, me, b), "a process that has read the first delivery may begin another")
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
	errorAs[*RequestMovedError](t, c.ReleaseRequest(ctx, me, Records{after}))
	after, err = c.EndDelivery(ctx, me, a, Reserved, "")
	require.NoError(t, err)
	require.Equal(t, Reserved, after.State)
	require.NoError(t, c.ReleaseRequest(ctx, me, Records{after}))
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

// Requests of a store without a count of deliveries may have been sent by several processes,
// and each has one part.
func TestRequestsOfVersion5(t *testing.T) { onEach(t, requestsOfVersion5) }

func requestsOfVersion5(t *testing.T, place place) {
	path, me, states := storeOf(t, place(t), "version5"), common.Address{1}, []string{"reserved", "sent", "accepted", "refused"}
	behind(t, path, func(s *Store) {
		for i, state := range states {
			change(t, s, `INSERT INTO requests (chain_id, sender, request_id, digest, recipient_rand_hash, first_nonce, nonces, record, state, outcome, made_at)
				VALUES ($1, $2, $3, 'd', $4, $5, 3, $6, $7, 'sent again', 1)`,
				fmt.Sprint(testChain), me.Hex(), state, common.Hash{1}.Hex(), 1+3*i, "record of "+state, state)
		}
	})
	c := open(t, path).Chain(testChain)
	for i, want := range []int{0, 2, 1, 1} {
		state := states[i]
		records, err := c.Requested(t.Context(), me, Request{ID: state, Digest: "d"})
		require.NoError(t, err)
		require.Len(t, records, 1)
		r := records[0]
		require.Equal(t, want, r.Deliveries, state)
		require.Equal(t, state == "sent", r.Outcome == "", state)
		require.Equal(t, State(state), r.State)
		require.Equal(t, pm.NonceRange{First: uint32(1 + 3*i), Count: 3}, r.Nonces)
		require.Equal(t, common.Hash{1}, r.RecipientRandHash)
		require.Equal(t, "record of "+state, string(r.Record))
		require.EqualValues(t, 1, r.At.UnixMilli())
	}
	_, err := c.Requested(t.Context(), me, Request{ID: "sent", Digest: "other"})
	require.ErrorIs(t, err, ErrRequest)
}

// A request's tickets are delivered in parts, each of which keeps the state of the whole. A
// process that began to deliver them together ends that for all parts.
func TestADeliveryIsSplit(t *testing.T) { onEach(t, aDeliveryIsSplit) }

func aDeliveryIsSplit(t *testing.T, place place) {
	c, me, ctx := open(t, place(t)).Chain(testChain), common.Address{1}, t.Context()
	parts := func(id string) Records {
		records, err := c.Requested(ctx, me, Request{ID: id, Digest: "d"})
		require.NoError(t, err)
		return records
	}
	states := func(id string) (states []State) {
		for _, r := range parts(id) {
			states = append(states, r.State)
		}
		return states
	}

	a, b := requested(t, c, "before any")
	require.NoError(t, c.SplitDelivery(ctx, me, a, 2))
	require.Equal(t, Reserved, movedTo(t, b, c.SplitDelivery(ctx, me, b, 1)))
	errorAs[*RequestMovedError](t, c.BeginDelivery(ctx, me, b))
	errorAs[*RequestMovedError](t, c.ReleaseRequest(ctx, me, Records{b}))
	split := parts("before any")
	require.Len(t, split, 2)
	require.Equal(t, []pm.NonceRange{{First: 1, Count: 2}, {First: 3, Count: 1}}, []pm.NonceRange{split[0].Nonces, split[1].Nonces})
	for _, r := range split {
		require.Equal(t, Reserved, r.State)
		require.Equal(t, "made of", string(r.Record))
	}
	require.NoError(t, c.BeginDelivery(ctx, me, split[0]))
	after, err := c.EndDelivery(ctx, me, split[0], Accepted, "")
	require.NoError(t, err)
	require.Equal(t, Accepted, after.State)
	require.Equal(t, []State{Accepted, Reserved}, states("before any"))
	require.Equal(t, Sent, movedTo(t, b, c.BeginDelivery(ctx, me, b)), "one of its parts was accepted, not all")
	require.NoError(t, c.ReleaseRequest(ctx, me, parts("before any")))
	require.Equal(t, []State{Accepted}, states("before any"), "what was accepted stays")
	errorAs[*RequestMovedError](t, c.ReleaseRequest(ctx, me, parts("before any")))

	for _, end := range []State{Accepted, Refused, Reserved, Sent} {
		id := "under way, then " + string(end)
		a, _ = requested(t, c, id)
		require.NoError(t, c.BeginDelivery(ctx, me, a))
		require.NoError(t, c.SplitDelivery(ctx, me, parts(id)[0], 1))
		require.Equal(t, []State{Sent, Sent, Sent}, states(id))
		after, err = c.EndDelivery(ctx, me, a, end, "no")
		require.NoError(t, err)
		require.Equal(t, end, after.State)
		require.Equal(t, []State{end, end, end}, states(id))
		require.Equal(t, end, movedTo(t, a, c.BeginDelivery(ctx, me, a)))
	}

	a, _ = requested(t, c, "one again")
	require.NoError(t, c.BeginDelivery(ctx, me, a))
	require.NoError(t, c.SplitDelivery(ctx, me, a, 2))
	again := parts("one again")[0]
	require.NoError(t, c.BeginDelivery(ctx, me, again))
	after, err = c.EndDelivery(ctx, me, a, Refused, "no")
	require.NoError(t, err)
	require.Equal(t, Sent, after.State, "one of its parts may have come by itself")
	require.Equal(t, []State{Sent, Refused}, states("one again"))

	a, _ = requested(t, c, "one accepted")
	require.NoError(t, c.BeginDelivery(ctx, me, a))
	require.NoError(t, c.SplitDelivery(ctx, me, a, 2))
	accepted := parts("one accepted")[0]
	require.NoError(t, c.BeginDelivery(ctx, me, accepted))
	_, err = c.EndDelivery(ctx, me, accepted, Accepted, "")
	require.NoError(t, err)
	after, err = c.EndDelivery(ctx, me, a, Refused, "no")
	require.NoError(t, err)
	require.Equal(t, Sent, after.State, "one of its parts was accepted, not all")
	require.Equal(t, []State{Accepted, Refused}, states("one accepted"))
}

// movedTo is the state in which an error says that the tickets are now, together.
func movedTo(t *testing.T, read *Record, err error) State {
	t.Helper()
	var moved *RequestMovedError
	require.ErrorAs(t, err, &moved)
	require.Equal(t, read.Nonces, moved.Now.Nonces)
	return moved.Now.State
}

// Tickets are added to a request only by a process that has read all of it.
func TestTicketsAreAddedAsRead(t *testing.T) { onEach(t, ticketsAreAddedAsRead) }

func ticketsAreAddedAsRead(t *testing.T, place place) {
	c, me, ctx := open(t, place(t)).Chain(testChain), common.Address{1}, t.Context()
	add := func(session byte, after Records) (*Made, error) {
		request := &Request{ID: "one", Digest: "d", Record: []byte{'0' + session}, After: after.Version()}
		return c.Reserve(ctx, Spend{Sender: me, Params: params(session), Count: 2, Request: request})
	}
	read := func() Records {
		records, err := c.Requested(ctx, me, Request{ID: "one", Digest: "d"})
		require.NoError(t, err)
		return records
	}
	made, err := add(1, nil)
	require.NoError(t, err)
	require.Nil(t, made.Before)
	first := read()
	made, err = add(2, first)
	require.NoError(t, err)
	require.Nil(t, made.Before)
	made, err = add(3, first)
	require.NoError(t, err)
	require.NotNil(t, made.Before, "another process has added some")
	made, err = add(3, nil)
	require.NoError(t, err)
	require.NotNil(t, made.Before)
	all := read()
	require.Len(t, all, 2)
	require.Equal(t, []string{"1", "2"}, []string{string(all[0].Record), string(all[1].Record)})
	require.Equal(t, []int{1, 2}, []int{all[0].Set, all[1].Set})
	spent, err := c.Spending(ctx, me, time.Now())
	require.NoError(t, err)
	require.EqualValues(t, 4, spent.All.Tickets)

	require.NoError(t, c.ReleaseRequest(ctx, me, all))
	require.Empty(t, read())
	_, err = add(3, all)
	errorAs[*RequestMovedError](t, err)
	made, err = add(3, nil)
	require.NoError(t, err)
	require.Nil(t, made.Before)
	require.Equal(t, "3", string(read()[0].Record), "nothing is left of the first ones")
}
