package live_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
)

func TestMaxPrice(t *testing.T) {
	for text, want := range map[string]string{
		`{"price":1875,"currency":"wei","unit":"seconds"}`:           "1875",
		`{"price":"0.5","currency":" WEI ","unit":"Seconds\n"}`:      "1/2",
		`{"price":" 1e3 ","currency":"wei","unit":"seconds"}`:        "1000",
		`{"price":1.25e-1,"currency":"wei","unit":"seconds"}`:        "1/8",
		`{"price":0,"currency":"wei","unit":"seconds"}`:              "maxPrice.price must be a positive decimal",
		`{"price":-1,"currency":"wei","unit":"seconds"}`:             "maxPrice.price must be a positive decimal",
		`{"price":"1/2","currency":"wei","unit":"seconds"}`:          "maxPrice.price must be a positive decimal",
		`{"price":"0x10","currency":"wei","unit":"seconds"}`:         "maxPrice.price must be a positive decimal",
		`{"price":"1e999999999","currency":"wei","unit":"seconds"}`:  "maxPrice.price must be a positive decimal",
		`{"price":"1e-999999999","currency":"wei","unit":"seconds"}`: "maxPrice.price must be a positive decimal",
		`{"price":null,"currency":"wei","unit":"seconds"}`:           "maxPrice.price must be a positive decimal",
		`{"price":{},"currency":"wei","unit":"seconds"}`:             "maxPrice.price must be a positive decimal",
		`{"currency":"wei","unit":"seconds"}`:                        "maxPrice.price must be a positive decimal",
		`{"price":1,"currency":"eth","unit":"seconds"}`:              "maxPrice.currency must be wei",
		`{"price":1,"currency":"wei","unit":"fixed"}`:                "maxPrice.unit must be seconds for payment type live",
		`{"price":1,"currency":"wei"}`:                               "maxPrice.unit must be seconds for payment type live",
	} {
		var max live.MaxPrice
		require.NoError(t, json.Unmarshal([]byte(text), &max), text)
		ceiling, err := max.Ceiling(live.Seconds, live.Requested)
		if err != nil {
			var refusal live.Refusal
			require.ErrorAs(t, err, &refusal, text)
			require.Equal(t, 400, refusal.Status(), text)
			require.Equal(t, want, err.Error(), text)
			continue
		}
		require.Equal(t, want, ceiling.Price.RatString(), text)
	}
	max := live.MaxPrice{Price: json.RawMessage("1"), Currency: "wei", Unit: "seconds"}
	_, err := max.Ceiling(live.Pixels, live.Requested)
	require.ErrorIs(t, err, live.ErrMaxPriceType)
}

func TestTypeOfAUnit(t *testing.T) {
	for _, want := range []live.Type{live.Seconds, live.PixelSeconds, live.Fixed} {
		got, ok := live.TypeOf(want.Unit())
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	_, ok := live.TypeOf("")
	require.False(t, ok, "pixels have no unit of a price")
}

// TestStatesAreTheSenders: a state counts as long as not a byte of it was changed, and only
// with the key that signed it.
func TestStatesAreTheSenders(t *testing.T) {
	_, key := captures(t)
	session := &live.Session{StateID: "a", LastUpdate: begin, Type: live.Fixed}
	state, err := session.Sign(t.Context(), key)
	require.NoError(t, err)
	got, err := state.Verify(key.Address())
	require.NoError(t, err)
	require.Equal(t, "a", got.StateID)
	require.Zero(t, got.Balance.Sign())

	_, err = state.Verify(common.Address{1})
	require.ErrorIs(t, err, live.ErrSignature)
	for i := range state.State {
		changed := live.State{State: []byte(string(state.State)), Sig: state.Sig}
		changed.State[i] ^= 1
		_, err := changed.Verify(key.Address())
		require.ErrorIs(t, err, live.ErrSignature, i)
	}
	for _, sig := range [][]byte{nil, {}, state.Sig[:64], append([]byte{0}, state.Sig...)} {
		_, err := live.State{State: state.State, Sig: sig}.Verify(key.Address())
		require.ErrorIs(t, err, live.ErrSignature)
	}
	require.True(t, live.State{}.IsZero())
	require.False(t, state.IsZero())

	for _, text := range []string{``, `null`, `{}`, `[]`, `{"Balance":"1/0"}`, `{"Balance":"1e9"}`, `{"Balance":"` + strings.Repeat("9", 3000) + `"}`, `{"Balance":"1","Type":"foo"}`, `{"Balance":"1","SenderNonce":-1}`, `{"Balance":"1","SequenceNumber":9223372036854775807}`} {
		_, err := live.DecodeSession([]byte(text))
		require.ErrorIs(t, err, live.ErrState, text)
	}
}

func TestAuthTokens(t *testing.T) {
	token := &wire.AuthToken{Expiration: begin.Unix()}
	require.NoError(t, live.CheckToken(token, begin.Add(-3*time.Minute-1)))
	require.ErrorIs(t, live.CheckToken(token, begin.Add(-3*time.Minute)), live.ErrRefresh)
	require.NoError(t, live.CheckToken(&wire.AuthToken{Expiration: math.MaxInt64}, begin))
	require.EqualError(t, live.CheckToken(nil, begin), "remote signer could not check whether to refresh session: missing auth token")
}

func TestParamsThatFreshOnesMend(t *testing.T) {
	require.True(t, live.NeedsRefresh(live.ErrRefresh))
	require.True(t, live.NeedsRefresh(fmt.Errorf("params: %w", pm.ErrTicketParamsExpired)))
	require.True(t, live.NeedsRefresh(&pm.NonceCapError{Used: 1, Asked: 10, Cap: 10}))
	require.False(t, live.NeedsRefresh(&pm.NonceCapError{Asked: 11, Cap: 10}), "no params have as many")
	require.False(t, live.NeedsRefresh(pm.ErrNoExpirationBlock))
	require.False(t, live.NeedsRefresh(nil))
}

// FuzzDecodeSession: what is read as a session is written again, and read as the same.
func FuzzDecodeSession(f *testing.F) {
	all, _ := captures(f)
	for _, c := range all {
		var answer live.Answer
		if json.Unmarshal(c.Response.Body, &answer) == nil {
			f.Add(answer.State.State)
		}
	}
	f.Add([]byte(`{"Balance":"-1/3","LastUpdate":"9999-12-31T23:59:59-23:59"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		session, err := live.DecodeSession(data)
		if err != nil {
			require.ErrorIs(t, err, live.ErrState)
			return
		}
		written, err := session.Encode()
		require.NoError(t, err)
		again, err := live.DecodeSession(written)
		require.NoError(t, err)
		twice, err := again.Encode()
		require.NoError(t, err)
		require.Equal(t, string(written), string(twice))
	})
}

// FuzzMaxPrice: a ceiling is a positive number that a few digits stand for.
func FuzzMaxPrice(f *testing.F) {
	f.Add([]byte(`{"price":"1e99","currency":"wei","unit":"seconds"}`), "live")
	f.Add([]byte(`{"price":0.1,"currency":"wei","unit":"fixed"}`), "fixed")
	f.Fuzz(func(t *testing.T, data []byte, kind string) {
		var max live.MaxPrice
		if json.Unmarshal(data, &max) != nil {
			return
		}
		ceiling, err := max.Ceiling(live.Type(kind), live.Webhook)
		if err != nil {
			require.True(t, errors.As(err, new(live.Refusal)))
			return
		}
		require.Equal(t, 1, ceiling.Price.Sign())
		require.Less(t, ceiling.Price.Num().BitLen()+ceiling.Price.Denom().BitLen(), 2000)
		require.NoError(t, live.CheckPrice(ceiling.Price, ceiling))
		require.Error(t, live.CheckPrice(new(big.Rat).Add(ceiling.Price, big.NewRat(1, 1<<62)), ceiling))
	})
}
