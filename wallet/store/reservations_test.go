package store

import (
	"errors"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

func TestReservations(t *testing.T) { onEach(t, reservations) }

func reservations(t *testing.T, place place) {
	c, me := open(t, place(t)).Chain(testChain), common.Address{1}
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	spend := func(sender common.Address, of byte, count uint32, at time.Time) Reservation {
		t.Helper()
		p := params(of)
		made, err := c.Reserve(t.Context(), Spend{Sender: sender, Params: p, Count: count, At: at})
		require.NoError(t, err)
		return Reservation{
			RecipientRandHash: p.RecipientRandHash, Nonces: made.Nonces, Recipient: p.Recipient, FaceValue: p.FaceValue,
			TicketEV: p.EV(), ExpirationBlock: p.ExpirationBlock, At: at,
		}
	}
	at, err := c.FirstReservation(t.Context(), me)
	require.NoError(t, err)
	require.Zero(t, at)
	first := spend(me, 1, 10, noon)
	second := spend(me, 2, 1, noon.Add(time.Hour))
	third := spend(me, 1, 5, noon.Add(2*time.Hour))
	spend(common.Address{2}, 3, 7, noon)

	all := func(since time.Time) (found []Reservation) {
		t.Helper()
		require.NoError(t, c.Reservations(t.Context(), me, since, func(r Reservation) error {
			found = append(found, r)
			return nil
		}))
		return found
	}
	at, err = c.FirstReservation(t.Context(), me)
	require.NoError(t, err)
	require.Equal(t, noon, at)
	same(t, []Reservation{first, second, third}, all(time.Time{}))
	same(t, []Reservation{second, third}, all(noon.Add(time.Hour)))
	require.Empty(t, all(noon.Add(3*time.Hour)))
	enough := errors.New("enough")
	require.Equal(t, enough, c.Reservations(t.Context(), me, noon, func(Reservation) error { return enough }))

	for nonce, want := range map[uint32]Reservation{1: first, 10: first, 11: third, 15: third} {
		found, err := c.ReservationOf(t.Context(), me, first.RecipientRandHash, nonce)
		require.NoError(t, err)
		same(t, []Reservation{want}, []Reservation{found})
	}
	for _, none := range []struct {
		sender common.Address
		hash   common.Hash
		nonce  uint32
	}{
		{me, first.RecipientRandHash, 0}, {me, first.RecipientRandHash, 16}, {me, common.Hash{9}, 1}, {common.Address{2}, first.RecipientRandHash, 1},
	} {
		_, err := c.ReservationOf(t.Context(), none.sender, none.hash, none.nonce)
		require.ErrorIs(t, err, ErrNoReservation)
	}
}

// same compares numbers by value: equal ones may have different representations.
func same(t *testing.T, want, got []Reservation) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].TicketEV.RatString(), got[i].TicketEV.RatString())
		require.Equal(t, want[i].FaceValue.String(), got[i].FaceValue.String())
		require.Equal(t, want[i].ExpirationBlock.String(), got[i].ExpirationBlock.String())
		a, b := want[i], got[i]
		a.TicketEV, a.FaceValue, a.ExpirationBlock = nil, nil, nil
		b.TicketEV, b.FaceValue, b.ExpirationBlock = nil, nil, nil
		require.Equal(t, a, b)
	}
}

// A ledger with values that pmctl never writes is damaged.
func TestDamagedReservations(t *testing.T) {
	for _, column := range []string{"recipient", "face_value", "ticket_ev", "expiration_block"} {
		s := open(t, newFile(t))
		reserve(t, s, params(1), 10)
		change(t, s, `UPDATE reservations SET `+column+` = 'x'`)
		err := s.Chain(testChain).Reservations(t.Context(), common.Address{1}, time.Time{}, func(Reservation) error { return nil })
		require.ErrorIs(t, err, ErrDamaged, column)
	}
}
