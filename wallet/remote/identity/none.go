package identity

import "net/http"

// None takes requests without credentials: everyone who can reach the listener may pay.
type None struct{}

// Identify implements Identifier.
func (None) Identify(*http.Request) (Caller, error) { return Caller{Kind: KindNone}, nil }
