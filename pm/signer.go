package pm

import (
	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
)

// Signer signs personal messages as one Ethereum account. Each call of Mint, MintOrders and
// CreateTicketBatch signs on one goroutine, unless the signer is a DigestSigner. Calls do not wait for
// each other: the signer of a Sender that several goroutines use must be safe for concurrent use.
type Signer interface {
	// Sign returns the 65-byte signature R‖S‖V (V = 27 or 28, low S) over
	// keccak256("\x19Ethereum Signed Message:\n" ‖ len(msg) ‖ msg).
	Sign(msg []byte) ([]byte, error)

	// Account returns the account that signs.
	Account() accounts.Account
}

// DigestSigner is a Signer with its key in this process. It trusts the digest: package pm
// passes only digests of tickets that it made itself.
type DigestSigner interface {
	Signer

	// SignDigest writes into sig, 65 bytes, the signature R‖S‖V (V = 27 or 28, low S) over
	// digest, 32 bytes, which is the hash of a message with its prefix. It may be called from
	// several goroutines at once, and keeps neither slice.
	SignDigest(digest, sig []byte) error
}

// SigVerifier checks signatures over personal messages.
type SigVerifier interface {
	// Verify reports whether sig is addr's signature over the personal message msg.
	Verify(addr common.Address, msg, sig []byte) bool
}
