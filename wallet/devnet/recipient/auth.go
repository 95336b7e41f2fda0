package recipient

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"github.com/pmctl/pmctl/pm/wire"
)

// authTokenLife is how long a sender may pay with an answer of GetOrchestrator.
const authTokenLife = 30 * time.Minute

// Errors of a payment's auth token.
var (
	errNoAuthToken      = errors.New("missing auth token")
	errBadAuthToken     = errors.New("invalid auth token")
	errExpiredAuthToken = errors.New("expired auth token")
)

// authority issues and verifies auth tokens: a token is an HMAC over its session and expiry, so
// that no state is needed.
type authority struct{ secret [32]byte }

func newAuthority() (*authority, error) {
	a := new(authority)
	_, err := rand.Read(a.secret[:])
	return a, err
}

// issue returns a token for a session; "" begins a new one.
func (a *authority) issue(session string, now time.Time) (*wire.AuthToken, error) {
	if session == "" {
		var id [4]byte
		if _, err := rand.Read(id[:]); err != nil {
			return nil, err
		}
		session = hex.EncodeToString(id[:])
	}
	expiration := now.Add(authTokenLife).Unix()
	return &wire.AuthToken{
		Token:      a.sum(session, expiration),
		SessionId:  session,
		Expiration: expiration,
	}, nil
}

// check rejects a token that this authority did not issue, or that has expired.
func (a *authority) check(token *wire.AuthToken, now time.Time) error {
	switch {
	case token == nil:
		return errNoAuthToken
	case !hmac.Equal(token.GetToken(), a.sum(token.GetSessionId(), token.GetExpiration())):
		return errBadAuthToken
	case now.Unix() > token.GetExpiration():
		return errExpiredAuthToken
	}
	return nil
}

func (a *authority) sum(session string, expiration int64) []byte {
	mac := hmac.New(sha256.New, a.secret[:])
	// The expiry has a fixed width and comes first, so that no two pairs have the same bytes.
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(expiration)))
	mac.Write([]byte(session))
	return mac.Sum(nil)
}
