package wallet

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/store"
)

func TestShortRunway(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	at := func(low, below time.Duration) (alert, bool) {
		return shortRunway(common.Address{1}, &Forecast{Low: now.Add(low)}, now, below)
	}
	short, ok := at(71*time.Hour, 72*time.Hour)
	require.True(t, ok)
	require.Equal(t, runwayAlert{now.Add(71 * time.Hour), 71 * 3600, 72 * 3600}, short.data)
	again, _ := at(70*time.Hour, 72*time.Hour)
	require.Equal(t, short.name, again.name, "once a day")
	_, ok = at(72*time.Hour, 72*time.Hour)
	require.False(t, ok)
	empty, ok := at(-time.Hour, time.Hour)
	require.True(t, ok)
	require.Zero(t, empty.data.(runwayAlert).Seconds)
	_, ok = shortRunway(common.Address{1}, nil, now, time.Hour)
	require.False(t, ok, "there is no forecast")
}

// TestAnUnlockThatBeginsAgain: each unlock has an event of its own, also one that ends in the round of a
// cancelled one, as a thief's does who begins again.
func TestAnUnlockThatBeginsAgain(t *testing.T) {
	var u lastUnlock
	var names []string
	for _, round := range []int64{0, 7, 7, 0, 7, 7, 0, 0, 7, 8, 0, 9} {
		if begun, ok := u.alert(common.Address{}, big.NewInt(round)); ok {
			_, name, _ := strings.Cut(begun.name, "0/")
			names = append(names, name)
		}
	}
	require.Equal(t, []string{"7", "7", "7/1", "7/1", "7/2", "8", "9"}, names)
}

// TestRefusedRecipientsAreBounded: a client that asks to pay any number of addresses does not have
// an event stored for each, and takes nothing from other clients.
func TestRefusedRecipientsAreBounded(t *testing.T) {
	a := &alerts{refusals: make(map[string]alert)}
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	names := make(map[string]int)
	refuse := func(client string, recipient int, at time.Time) {
		a.observe(remote.Answered{
			At: at, Caller: remote.Caller{Client: &store.Client{Name: client}}, Recipient: &common.Address{byte(recipient >> 8), byte(recipient)},
			Err: &store.ClientError{Client: client, Reason: store.ClientRecipient},
		})
		for name, raised := range a.refusals {
			names[raised.subject]++
			delete(a.refusals, name) // as raise does
		}
	}
	for i := range 3 * maxRecipients {
		refuse("ann", i, now)
	}
	require.Equal(t, map[string]int{"ann": maxRecipients}, names)
	refuse("ann", 0, now) // which raise finds stored
	refuse("bob", 0, now)
	refuse("ann", 2*maxRecipients, now.AddDate(0, 0, 1))
	require.Equal(t, map[string]int{"ann": maxRecipients + 2, "bob": 1}, names)
}
