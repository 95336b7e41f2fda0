package pm

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

func TestSigVerifierTakesOneFormOnly(t *testing.T) {
	signer := newTestSigner(t)
	addr, msg := signer.Account().Address, RandBytes(32)
	sig, err := signer.Sign(msg)
	if err != nil {
		t.Fatal(err)
	}
	verifier := &DefaultSigVerifier{}
	before := common.CopyBytes(sig)
	if !verifier.Verify(addr, msg, sig) {
		t.Fatal("a good signature is refused")
	}
	equalBytes(t, "the signature after it was checked", sig, before)

	change := func(f func(sig []byte)) []byte {
		c := common.CopyBytes(sig)
		f(c)
		return c
	}
	highS := change(func(sig []byte) {
		s := new(big.Int).SetBytes(sig[32:64])
		s.Sub(crypto.S256().Params().N, s).FillBytes(sig[32:64])
		sig[64] = 27 + 28 - sig[64] // -s with the other V recovers the same key
	})
	recovered := common.CopyBytes(highS)
	recovered[64] -= 27
	if key, err := crypto.SigToPub(accounts.TextHash(msg), recovered); err != nil || crypto.PubkeyToAddress(*key) != addr {
		t.Fatalf("the high-S signature does not recover to the signer: %v", err)
	}
	for name, bad := range map[string][]byte{
		"nil":           nil,
		"64 bytes":      sig[:64],
		"66 bytes":      append(common.CopyBytes(sig), 0),
		"V 0 or 1":      change(func(sig []byte) { sig[64] -= 27 }),
		"V 29 or 30":    change(func(sig []byte) { sig[64] += 2 }),
		"the other V":   change(func(sig []byte) { sig[64] = 55 - sig[64] }),
		"high S":        highS,
		"R 0":           change(func(sig []byte) { clear(sig[:32]) }),
		"S 0":           change(func(sig []byte) { clear(sig[32:64]) }),
		"R over N":      change(func(sig []byte) { copy(sig, maxWinProb().Bytes()) }),
		"a flipped bit": change(func(sig []byte) { sig[7] ^= 1 }),
	} {
		if verifier.Verify(addr, msg, bad) {
			t.Errorf("accepted: %s", name)
		}
	}
	if verifier.Verify(RandAddress(), msg, sig) || verifier.Verify(addr, RandBytes(32), sig) || verifier.Verify(common.Address{}, msg, sig) {
		t.Error("accepted for another address or message")
	}
}
