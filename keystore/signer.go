package keystore

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/internal/input"
)

// ErrNoChainID is returned for a transaction without a chain ID: its signature would be valid on
// every chain.
var ErrNoChainID = errors.New("no chain ID to sign for")

// Signer is an account with its key in memory. It signs until it is closed, and is safe for
// concurrent use. Printing it shows only the address.
type Signer struct {
	account accounts.Account
	mu      sync.RWMutex
	key     *ecdsa.PrivateKey // nil after Close
}

// NewRawSigner returns the signer of a private key given as 64 hex digits, with or without 0x,
// surrounding white space and a byte order mark. The caller clears the text. It returns ErrBadKey, which does not repeat
// the text.
func NewRawSigner(text []byte) (*Signer, error) {
	digits := bytes.TrimSpace(bytes.TrimPrefix(text, []byte(input.ByteOrderMark)))
	if len(digits) >= 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') {
		digits = digits[2:]
	}
	if len(digits) != 2*keySize {
		return nil, fmt.Errorf("%w: %d hex digits, want %d", ErrBadKey, len(digits), 2*keySize)
	}
	raw := make([]byte, keySize)
	defer clear(raw)
	if _, err := hex.Decode(raw, digits); err != nil {
		return nil, fmt.Errorf("%w: it has characters that are not hex digits", ErrBadKey)
	}
	key, err := crypto.ToECDSA(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: the number is out of the curve's range", ErrBadKey)
	}
	return newSigner(key, ""), nil
}

// newSigner takes ownership of key, which comes from the file at path, if any.
func newSigner(key *ecdsa.PrivateKey, path string) *Signer {
	account := accounts.Account{Address: crypto.PubkeyToAddress(key.PublicKey)}
	if path != "" {
		account.URL = fileURL(path)
	}
	return &Signer{account: account, key: key}
}

// Account returns the signing account; its URL names the key file, if any.
func (s *Signer) Account() accounts.Account { return s.account }

// Address returns the signing account's address.
func (s *Signer) Address() common.Address { return s.account.Address }

// Sign returns the 65-byte signature R‖S‖V (V = 27 or 28, low S) over
// keccak256("\x19Ethereum Signed Message:\n" ‖ len(msg) ‖ msg). It returns ErrClosed after Close.
func (s *Signer) Sign(msg []byte) ([]byte, error) {
	signature := make([]byte, crypto.SignatureLength)
	if err := s.SignDigest(accounts.TextHash(msg), signature); err != nil {
		return nil, err
	}
	return signature, nil
}

// SignDigest writes into sig, 65 bytes, the signature R‖S‖V (V = 27 or 28, low S) over digest, 32
// bytes: a hash that the caller computed itself, including any prefix. A digest from elsewhere may
// be that of a transaction. It returns ErrClosed after Close.
func (s *Signer) SignDigest(digest, sig []byte) error {
	return s.use(func(key *ecdsa.PrivateKey) error {
		signature, err := crypto.Sign(digest, key)
		if err != nil {
			return err
		}
		if copied := copy(sig, signature); copied != crypto.SignatureLength {
			return fmt.Errorf("a signature has %d bytes, but there is room for %d", crypto.SignatureLength, copied)
		}
		sig[crypto.RecoveryIDOffset] += 27
		return nil
	})
}

// SignTx returns tx signed for the chain. It returns ErrNoChainID unless the chain ID is positive,
// types.ErrInvalidChainId for a transaction of another chain, and ErrClosed after Close.
func (s *Signer) SignTx(tx *types.Transaction, chainID *big.Int) (*types.Transaction, error) {
	if tx == nil {
		return nil, errors.New("no transaction to sign")
	}
	if chainID == nil || chainID.Sign() <= 0 {
		return nil, ErrNoChainID
	}
	var signed *types.Transaction
	err := s.use(func(key *ecdsa.PrivateKey) (err error) {
		signed, err = types.SignTx(tx, types.LatestSignerForChainID(chainID), key)
		return err
	})
	return signed, err
}

// use calls f with the key, which Close does not clear before f returns.
func (s *Signer) use(f func(*ecdsa.PrivateKey) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.key == nil {
		return fmt.Errorf("%s: %w", s.account.Address.Hex(), ErrClosed)
	}
	return f(s.key)
}

// Close overwrites the key in memory, after signatures in progress. It may be called more than
// once.
func (s *Signer) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		zeroKey(s.key)
		s.key = nil
	}
}

// Format prints the address, whatever the verb, and never the key.
func (s *Signer) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.account.Address.Hex()) }

// zeroKey overwrites the number that go-ethereum signs with.
func zeroKey(key *ecdsa.PrivateKey) {
	//lint:ignore SA1019 there is no other way to reach the key's memory
	clear(key.D.Bits())
}
