package pm

import (
	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
)

// Signer signs personal messages as one Ethereum account.
type Signer interface {
	// Sign returns the 65-byte signature R‖S‖V (V = 27 or 28, low S) over
	// keccak256("\x19Ethereum Signed Message:\n" ‖ len(msg) ‖ msg).
	Sign(msg []byte) ([]byte, error)

	// Account returns the account that signs.
	Account() accounts.Account
}

// SigVerifier checks signatures over personal messages.
type SigVerifier interface {
	// Verify tells whether sig is addr's signature over the personal message msg.
	Verify(addr common.Address, msg, sig []byte) bool
}
