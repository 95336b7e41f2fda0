//go:build !unix

package keystore

import "errors"

// LockMemory fails: this system cannot lock memory.
func (s *Signer) LockMemory() error { return errors.ErrUnsupported }
