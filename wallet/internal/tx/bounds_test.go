package tx

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/wei"
)

// TestCapsLowerThePriceAndRefuseBelowTheLeast tries each cap at the least price, and one wei
// below it.
func TestCapsLowerThePriceAndRefuseBelowTheLeast(t *testing.T) {
	amount := func(n uint64) *wei.Wei {
		w := wei.FromUint64(n)
		return &w
	}
	asked := func() prices { return prices{cap: big.NewInt(20), tip: big.NewInt(1), least: big.NewInt(10)} }
	const gas = 100
	for _, c := range []struct {
		caps Caps
		want int64 // the price; 0 for a refusal
	}{
		{Caps{}, 20},
		{Caps{Price: amount(30)}, 20},
		{Caps{Price: amount(15)}, 15},
		{Caps{Price: amount(10)}, 10},
		{Caps{Price: amount(9)}, 0},
		{Caps{Fee: amount(30 * gas)}, 20},
		{Caps{Fee: amount(15 * gas)}, 15},
		{Caps{Fee: amount(10 * gas)}, 10},
		{Caps{Fee: amount(10*gas - 1)}, 0},
	} {
		got, err := c.caps.under(asked(), gas)
		if c.want == 0 {
			require.ErrorIs(t, err, ErrPrice)
			continue
		}
		require.NoError(t, err)
		require.EqualValues(t, c.want, got.cap.Int64())
	}
	_, err := Caps{Fee: amount(1)}.under(asked(), 0)
	require.NoError(t, err, "nothing is divided by no gas")
}

// TestOnlyWhatWasShownIsAgreedTo: consent at a terminal covers only the transactions in the
// prompt.
func TestOnlyWhatWasShownIsAgreedTo(t *testing.T) {
	intent := func(id string) *Intent {
		return &Intent{ID: id, State: Open, Attempts: []Attempt{{Tx: types.NewTx(&types.LegacyTx{}), Kind: KindCall}}}
	}
	shown, another := intent("shown"), intent("another")
	agree := func(terms Terms, open ...*Intent) error { return terms.Agree(Queue{Open: open}) }
	require.NoError(t, agree(Terms{WithPending: true, Seen: []*Intent{shown}}, shown))
	require.NoError(t, agree(Terms{WithPending: true}, shown, another), "with --yes nothing was shown")
	require.ErrorAs(t, agree(Terms{WithPending: true, Seen: []*Intent{shown}}, shown, another), new(*PendingError))
	require.ErrorAs(t, agree(Terms{Seen: []*Intent{shown}}, shown), new(*PendingError))
	require.NoError(t, agree(Terms{}))
}

// TestStatesOfIntents: which states are unsettled, and which attempt is the call.
func TestStatesOfIntents(t *testing.T) {
	for state, want := range map[State]bool{Open: true, Refused: true, Mined: false, Reverted: false, Cancelled: false, Lost: false} {
		require.Equal(t, want, state.Unsettled(), state)
	}
	call := types.NewTx(&types.LegacyTx{Nonce: 1})
	bump := types.NewTx(&types.LegacyTx{Nonce: 2})
	cancel := types.NewTx(&types.LegacyTx{Nonce: 3})
	attempts := []Attempt{{Tx: call, Kind: KindCall}, {Tx: bump, Kind: KindBump}, {Tx: cancel, Kind: KindCancel}}
	require.Equal(t, call, (&Intent{Attempts: attempts[:1]}).call())
	require.Equal(t, bump, (&Intent{Attempts: attempts[:2]}).call())
	require.Equal(t, bump, (&Intent{Attempts: attempts}).call(), "a cancellation is not the intent's call")
}
