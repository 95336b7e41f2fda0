package recipient

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm/wire"
)

func TestAuthTokens(t *testing.T) {
	a, err := newAuthority()
	require.NoError(t, err)
	other, err := newAuthority()
	require.NoError(t, err)
	now := time.Unix(1_900_000_000, 0)
	issue := func() *wire.AuthToken {
		token, err := a.issue("", now)
		require.NoError(t, err)
		return token
	}

	require.NoError(t, a.check(issue(), now))
	require.NoError(t, a.check(issue(), now.Add(authTokenLife)))
	require.ErrorIs(t, a.check(issue(), now.Add(authTokenLife+time.Second)), errExpiredAuthToken)
	require.ErrorIs(t, other.check(issue(), now), errBadAuthToken)
	require.ErrorIs(t, a.check(nil, now), errNoAuthToken)
	require.NotEqual(t, issue().SessionId, issue().SessionId)
	for name, change := range map[string]func(*wire.AuthToken){
		"token":      func(token *wire.AuthToken) { token.Token[3] ^= 1 },
		"cut":        func(token *wire.AuthToken) { token.Token = token.Token[1:] },
		"empty":      func(token *wire.AuthToken) { token.Token = nil },
		"session":    func(token *wire.AuthToken) { token.SessionId += "0" },
		"expiration": func(token *wire.AuthToken) { token.Expiration++ },
	} {
		token := issue()
		change(token)
		require.ErrorIs(t, a.check(token, now), errBadAuthToken, name)
	}
}
