// Package identity finds out which client of a remote signer sent a request: by a bearer
// token, a JSON Web Token, a certificate or a trusted proxy.
package identity
