// Package signer signs, with the Source of a key that is in a key file, was read from a
// descriptor, or is open in another process. Callers need not tell these apart. An Account
// opens its source only when it is needed.
package signer
