package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// Kinds of documents with a transaction.
const (
	KindUnsigned = "pmctl.unsigned_transaction"
	KindSigned   = "pmctl.signed_transaction"
)

// Hex is bytes as 0x and hex digits.
type Hex []byte

func (h Hex) MarshalText() ([]byte, error) { return hexutil.Bytes(h).MarshalText() }

func (h *Hex) UnmarshalText(text []byte) error {
	if err := (*hexutil.Bytes)(h).UnmarshalText(text); err != nil {
		return valueError[Hex](string(text))
	}
	return nil
}

// Transaction is a transaction to be signed elsewhere.
type Transaction struct {
	// Network names the network, ChainID its chain.
	Network string `json:"network"`
	ChainID Nat    `json:"chain_id"`

	// Label is the code of what it does, and RequestID the user's own ID for it. Neither is signed.
	Label     string `json:"label"`
	RequestID string `json:"request_id,omitempty"`

	From  Address `json:"from"`
	To    Address `json:"to"`
	Value Amount  `json:"value"`
	Data  Hex     `json:"data"`
	Nonce Num     `json:"nonce"`

	// GasLimit is the most gas that it may use, at MaxGasPrice per unit, of which MaxTip is the
	// highest tip; nil if the chain has no base fee.
	GasLimit    Num     `json:"gas_limit"`
	MaxGasPrice Amount  `json:"max_gas_price"`
	MaxTip      *Amount `json:"max_tip,omitzero"`
}

// Unsigned returns the transaction to sign.
func (t *Transaction) Unsigned() *types.Transaction {
	to := common.Address(t.To)
	if t.MaxTip == nil {
		return types.NewTx(&types.LegacyTx{
			Nonce: uint64(t.Nonce), GasPrice: t.MaxGasPrice.Big(), Gas: uint64(t.GasLimit), To: &to, Value: t.Value.Big(), Data: t.Data,
		})
	}
	return types.NewTx(&types.DynamicFeeTx{
		ChainID: big.NewInt(int64(t.ChainID)), Nonce: uint64(t.Nonce), GasTipCap: t.MaxTip.Big(), GasFeeCap: t.MaxGasPrice.Big(),
		Gas: uint64(t.GasLimit), To: &to, Value: t.Value.Big(), Data: t.Data,
	})
}

// SignedTransaction is a transaction that was signed elsewhere.
type SignedTransaction struct {
	Transaction
	// Hash identifies it on the chain; Raw is its encoding for nodes.
	Hash Hash `json:"transaction_hash"`
	Raw  Hex  `json:"raw"`
}

// ErrTransaction is wrapped by errors about a signed transaction that differs from its document.
var ErrTransaction = errors.New("the signed transaction is not what its document says")

// ReadUnsigned reads a transaction to sign. It returns the errors of Read.
func ReadUnsigned(r io.Reader) (*Transaction, error) {
	t := new(Transaction)
	return t, Read(r, KindUnsigned, t)
}

// NewSigned returns the document of a signed transaction. It returns ErrTransaction if t is another
// one.
func NewSigned(t Transaction, signed *types.Transaction) (*SignedTransaction, error) {
	raw, err := signed.MarshalBinary()
	if err != nil {
		return nil, err
	}
	s := &SignedTransaction{Transaction: t, Hash: Hash(signed.Hash()), Raw: raw}
	_, err = s.Signed()
	return s, err
}

// ReadSigned reads a signed transaction and checks it against its document. It returns
// ErrTransaction and the errors of Read.
func ReadSigned(r io.Reader) (*SignedTransaction, error) {
	s := new(SignedTransaction)
	if err := Read(r, KindSigned, s); err != nil {
		return nil, err
	}
	_, err := s.Signed()
	return s, err
}

// Signed returns the transaction for nodes. It returns ErrTransaction unless it matches the
// document in every field and is signed by the document's account for its chain.
func (s *SignedTransaction) Signed() (*types.Transaction, error) {
	signed := new(types.Transaction)
	if err := signed.UnmarshalBinary(s.Raw); err != nil {
		return nil, fmt.Errorf("%w: raw: %w", ErrTransaction, err)
	}
	signer := types.LatestSignerForChainID(big.NewInt(int64(s.ChainID)))
	if signer.Hash(signed) != signer.Hash(s.Unsigned()) {
		return nil, fmt.Errorf("%w: another one was signed", ErrTransaction)
	}
	from, err := types.Sender(signer, signed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTransaction, err)
	}
	if from != common.Address(s.From) {
		return nil, fmt.Errorf("%w: it is signed by %v, not by %v", ErrTransaction, from, common.Address(s.From))
	}
	if hash := signed.Hash(); !bytes.Equal(hash[:], s.Hash[:]) {
		return nil, fmt.Errorf("%w: its hash is %v", ErrTransaction, hash)
	}
	return signed, nil
}
