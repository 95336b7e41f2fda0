package signer

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/pm"
)

// Source signs as one account. Calls end with their ctx, since the key may be in another process.
type Source interface {
	// Address is the account's.
	Address() common.Address

	// Sign returns the 65-byte signature R‖S‖V (V = 27 or 28, low S) over
	// keccak256("\x19Ethereum Signed Message:\n" ‖ len(message) ‖ message).
	Sign(ctx context.Context, message []byte) ([]byte, error)

	// SignTx returns tx signed for the chain.
	SignTx(ctx context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error)

	// Close clears the key, or ends the connection to the process that has it. An account closes
	// its source after each transaction; a source that is not a Local is then asked to sign again.
	Close()
}

// Local is the Source of a key in this process. It ignores ctx: signing takes microseconds.
type Local struct{ *keystore.Signer }

// RawKey is the source of a private key. It fails as keystore.NewRawSigner does.
func RawKey(text []byte) (Local, error) {
	key, err := keystore.NewRawSigner(text)
	return Local{key}, err
}

// Sign implements Source.
func (l Local) Sign(_ context.Context, message []byte) ([]byte, error) { return l.Signer.Sign(message) }

// SignTx implements Source.
func (l Local) SignTx(_ context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error) {
	return l.Signer.SignTx(tx, chainID)
}

// ForPM is a source as a pm.Signer, whose methods have no context: calls to another process end
// with ctx. A key of this process signs on all cores.
func ForPM(ctx context.Context, source Source) pm.Signer {
	if l, ok := source.(Local); ok {
		return l.Signer
	}
	return bound{source, ctx}
}

// bound is a source as a pm.Signer.
type bound struct {
	Source
	ctx context.Context
}

// Sign implements pm.Signer.
func (b bound) Sign(message []byte) ([]byte, error) { return b.Source.Sign(b.ctx, message) }

// Account implements pm.Signer.
func (b bound) Account() accounts.Account { return accounts.Account{Address: b.Address()} }
