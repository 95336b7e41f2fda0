//go:build unix

package keystore

import (
	"crypto/ecdsa"
	"unsafe"

	"golang.org/x/sys/unix"
)

// LockMemory keeps the memory that holds the key from being written to the swap, for as
// long as the process lives. Copies that signing makes for moments are not covered. It
// fails where the system allows no locked memory, and with ErrClosed.
func (s *Signer) LockMemory() error {
	return s.use(func(key *ecdsa.PrivateKey) error {
		//lint:ignore SA1019 there is no other way to reach the key's memory
		words := key.D.Bits()
		return unix.Mlock(unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(words)*int(unsafe.Sizeof(words[0]))))
	})
}
