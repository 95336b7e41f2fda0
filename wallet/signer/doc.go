// Package signer is who signs: an account whose key is in a key file, was read from a
// descriptor, or is open in an agent. What signs does not tell these apart.
package signer
