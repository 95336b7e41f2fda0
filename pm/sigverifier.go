package pm

import (
	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// DefaultSigVerifier checks signatures by recovering the signer's public key. It accepts
// exactly what the contract accepts: 65 bytes R‖S‖V, V = 27 or 28, low S.
type DefaultSigVerifier struct{}

// Verify reports whether sig is addr's signature over the personal message msg, that
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

// recoveryIDBase is what Ethereum adds to a signature's recovery ID, 0 or 1.
const recoveryIDBase = 27

// sigBytes is the length of a signature R‖S‖V.
const sigBytes = crypto.SignatureLength

// The order of secp256k1, and half of it rounded down, as 32 bytes.
const (
	curveOrder     = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xba\xae\xdc\xe6\xaf\x48\xa0\x3b\xbf\xd2\x5e\x8c\xd0\x36\x41\x41"
	halfCurveOrder = "\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x5d\x57\x6e\x73\x57\xa4\x50\x1d\xdf\xe9\x2f\x46\x68\x1b\x20\xa0"
	zeroWord       = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
)

// wellFormedSig reports whether recipients and the contract may accept sig: 0 < R < the curve's
// order, 0 < S ≤ half of it, V = 27 or 28. It allocates no memory, since it checks every
// ticket.
func wellFormedSig(sig []byte) bool {
	if len(sig) != sigBytes {
		return false
	}
	r, s, v := sig[:uintBytes], sig[uintBytes:2*uintBytes], sig[crypto.RecoveryIDOffset]
	return zeroWord < string(r) && string(r) < curveOrder &&
		zeroWord < string(s) && string(s) <= halfCurveOrder &&
		(v == recoveryIDBase || v == recoveryIDBase+1)
}
