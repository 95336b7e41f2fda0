package pm

import (
	"crypto/rand"

	"github.com/ethereum/go-ethereum/common"
)

// RandAddress returns a random address, whose key does not exist.
func RandAddress() common.Address { return common.Address(RandBytes(common.AddressLength)) }

// RandHash returns 32 random bytes as a hash.
func RandHash() common.Hash { return common.Hash(RandBytes(common.HashLength)) }

// RandBytes returns size random bytes from the system's secure source.
func RandBytes(size uint) []byte {
	b := make([]byte, size)
	// It never returns an error: without randomness the program ends.
	_, _ = rand.Read(b)
	return b
}
