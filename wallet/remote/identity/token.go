package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
)

// tokenPrefix lets people and secret scanners tell a token from others.
const tokenPrefix = "pmctl_"

// Token is a new bearer token of 256 random bits.
func Token() string {
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // which never fails
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
}

// TokenHash is what is stored of a token, in hexadecimal. A token has as many random bits as
// its hash, so that a slow hash would add nothing; and that it is the hash which is compared
// keeps the time of a comparison from revealing the token.
func TokenHash(token string) string {
	hash := sha256.Sum256([]byte(token))
	return hex.EncodeToString(hash[:])
}

// Tokens identifies clients by bearer tokens.
type Tokens struct{}

// Identify implements Identifier.
func (Tokens) Identify(r *http.Request) (Caller, error) {
	token := Bearer(r)
	if !strings.HasPrefix(token, tokenPrefix) {
		return Caller{}, ErrNoCredentials
	}
	return Caller{Kind: KindToken, Value: TokenHash(token)}, nil
}
