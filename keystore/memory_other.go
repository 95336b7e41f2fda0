//go:build !unix

package keystore

import "errors"

// LockMemory fails: memory cannot be locked here.
func (s *Signer) LockMemory() error { return errors.ErrUnsupported }
