//go:build unix

package keystore

import (
	"crypto/ecdsa"
	"unsafe"

	"golang.org/x/sys/unix"
)

// LockMemory keeps the memory with the key out of swap for the life of the process. Short-lived
// copies that signing makes are not covered. It fails if the system does not allow locked memory,
// and with ErrClosed.
func (s *Signer) LockMemory() error {
	return s.use(func(key *ecdsa.PrivateKey) error {
		//lint:ignore SA1019 there is no other way to reach the key's memory
		words := key.D.Bits()
		return unix.Mlock(unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(words)*int(unsafe.Sizeof(words[0]))))
	})
}
