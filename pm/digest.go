package pm

import (
	"bytes"
	"encoding/binary"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// messagePrefix precedes a message of 32 bytes that is signed.
const messagePrefix = "\x19Ethereum Signed Message:\n32"

// digester computes the digests of tickets that differ only in their nonces, without allocating
// memory.
type digester struct {
	keccak crypto.KeccakState
	// ticket are the hashed bytes, in which only the nonce changes; from is the template that
	// they were copied from.
	ticket []byte
	from   []byte
	// message is the prefix and the ticket's hash.
	message [len(messagePrefix) + common.HashLength]byte
	sum     [common.HashLength]byte
}

func newDigester() *digester {
	d := &digester{keccak: crypto.NewKeccakState(), ticket: make([]byte, 0, flatBytes)}
	copy(d.message[:], messagePrefix)
	return d
}

// use switches to the tickets with a flattened ticket's bytes, whatever its nonce.
func (d *digester) use(template []byte) {
	if len(d.from) != len(template) || &d.from[0] != &template[0] {
		d.from, d.ticket = template, append(d.ticket[:0], template...)
	}
}

// hash returns the hash of the ticket with a nonce. It is valid until the next call.
func (d *digester) hash(nonce uint32) []byte {
	binary.BigEndian.PutUint32(d.ticket[nonceOffset:], nonce)
	hash := d.message[len(messagePrefix):]
	d.keccak256(d.ticket, hash)
	return hash
}

// digest returns the signed bytes of the ticket with a nonce: the digest of its hash as a
// personal message. It is valid until the next call.
func (d *digester) digest(nonce uint32) []byte {
	d.hash(nonce)
	d.keccak256(d.message[:], d.sum[:])
	return d.sum[:]
}

func (d *digester) keccak256(data, sum []byte) {
	d.keccak.Reset()
	d.keccak.Write(data)
	d.keccak.Read(sum) // neither fails
}

// BatchVerifier checks signatures of one batch's tickets. Each goroutine needs its own. The zero value
// has no batch, and accepts none.
type BatchVerifier struct {
	sender   common.Address
	digester *digester
	sig      [sigBytes]byte
	address  [common.HashLength]byte
}

// NewBatchVerifier returns a BatchVerifier for the tickets that sender makes from params in the
// round of expiration; nil means the params' own. It fails as (*TicketParams).CheckFields does.
func NewBatchVerifier(params *TicketParams, expiration *TicketExpirationParams, sender common.Address) (*BatchVerifier, error) {
	template, err := flatTemplate(&Order{Params: params, Expiration: expiration}, sender)
	if err != nil {
		return nil, err
	}
	v := &BatchVerifier{sender: sender, digester: newDigester()}
	v.digester.use(template)
	return v, nil
}

// Verify reports, like DefaultSigVerifier, whether sig is the sender's signature of the ticket
// with the nonce.
func (v *BatchVerifier) Verify(nonce uint32, sig []byte) bool {
	if v.digester == nil || !wellFormedSig(sig) {
		return false
	}
	copy(v.sig[:], sig)
	v.sig[crypto.RecoveryIDOffset] -= recoveryIDBase
	key, err := crypto.Ecrecover(v.digester.digest(nonce), v.sig[:])
	if err != nil {
		return false
	}
	// An address is the end of the key's hash, without the byte of its encoding.
	v.digester.keccak256(key[1:], v.address[:])
	return bytes.Equal(v.address[common.HashLength-common.AddressLength:], v.sender[:])
}
