package pm

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

func TestRandomValuesDiffer(t *testing.T) {
	addresses, hashes := make(map[common.Address]bool), make(map[common.Hash]bool)
	for range 100 {
		addresses[RandAddress()] = true
		hashes[RandHash()] = true
	}
	if len(addresses) != 100 || len(hashes) != 100 {
		t.Errorf("of 100 each, %d addresses and %d hashes differ", len(addresses), len(hashes))
	}
	for _, size := range []uint{0, 1, 33} {
		if got := RandBytes(size); uint(len(got)) != size {
			t.Errorf("%d bytes, want %d", len(got), size)
		}
	}
}
