package pm

import (
	"math/big"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// DefaultSigVerifier checks signatures by recovering the signer's public key. It
// takes what the contract takes, nothing else: 65 bytes R‖S‖V, V = 27 or 28, low S.
type DefaultSigVerifier struct{}

// Verify tells whether sig is addr's signature over the personal message msg, that
// is over keccak256("\x19Ethereum Signed Message:\n" ‖ len(msg) ‖ msg).
func (sv *DefaultSigVerifier) Verify(addr common.Address, msg, sig []byte) bool {
	if !wellFormedSig(sig) {
		return false
	}
	recoverable := append([]byte(nil), sig...)
	recoverable[crypto.RecoveryIDOffset] -= recoveryIDBase
	key, err := crypto.SigToPub(accounts.TextHash(msg), recoverable)
	return err == nil && crypto.PubkeyToAddress(*key) == addr
}

// recoveryIDBase is what Ethereum adds to a signature's recovery id, 0 or 1.
const recoveryIDBase = 27

// wellFormedSig tells whether sig can be a signature that recipients and the
// contract take.
func wellFormedSig(sig []byte) bool {
	if len(sig) != crypto.SignatureLength {
		return false
	}
	r := new(big.Int).SetBytes(sig[:uintBytes])
	s := new(big.Int).SetBytes(sig[uintBytes : 2*uintBytes])
	const lowSOnly = true
	// A V below 27 wraps round to a large byte and is refused with the others.
	return crypto.ValidateSignatureValues(sig[crypto.RecoveryIDOffset]-recoveryIDBase, r, s, lowSOnly)
}
