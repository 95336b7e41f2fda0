package pm

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
)

// golden is testdata/golden.json: results of the deployed network.
type golden struct {
	Tickets []struct {
		Name                     string
		Recipient, Sender        common.Address
		FaceValue, WinProb       decimal
		SenderNonce              uint32
		RecipientRandHash        common.Hash
		CreationRound            int64
		CreationRoundBlockHash   common.Hash
		AuxData, Flattened       hexutil.Bytes
		Hash, OnChainHash        common.Hash
		EV, WinProbRat           string
		PrivateKey, Signature    hexutil.Bytes
		SignatureValidForSender  bool
		RecipientRand            hexutil.Bytes
		RecipientRandMatchesHash bool
		Wins                     bool
	}
	WinBoundary []struct {
		Name                     string
		Signature, RecipientRand hexutil.Bytes
		WinProb                  decimal
		Wins                     bool
	}
	RecipientParams []recipientCase
	Payments        []struct {
		Name                        string
		PrivateKey                  hexutil.Bytes
		Sender, Recipient           common.Address
		FaceValue, WinProb          decimal
		RecipientRandHash           common.Hash
		Seed                        hexutil.Bytes
		ExpirationBlock             decimal
		CreationRound               int64
		CreationRoundBlockHash      common.Hash
		PricePerUnit, PixelsPerUnit int64
		StartNonce, Count           uint32
		SenderParams                []struct {
			SenderNonce uint32
			Sig         hexutil.Bytes
		}
	}
}

// decimal is a whole number written as a decimal string.
type decimal struct{ *big.Int }

func (d *decimal) UnmarshalJSON(text []byte) error {
	d.Int = new(big.Int)
	return d.Int.UnmarshalText(bytes.Trim(text, `"`))
}

func readGolden(t *testing.T) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Tickets) != 26 || len(g.WinBoundary) != 5 || len(g.RecipientParams) != 7 || len(g.Payments) != 4 {
		t.Fatalf("testdata/golden.json is not complete: %d tickets, %d win boundaries, %d recipient params, %d payments", len(g.Tickets), len(g.WinBoundary), len(g.RecipientParams), len(g.Payments))
	}
	return g
}

// keySigner signs with a key in memory.
type keySigner struct{ key *ecdsa.PrivateKey }

func newKeySigner(t testing.TB, key []byte) keySigner {
	t.Helper()
	k, err := crypto.ToECDSA(key)
	if err != nil {
		t.Fatal(err)
	}
	return keySigner{k}
}

func (s keySigner) Sign(msg []byte) ([]byte, error) {
	sig, err := crypto.Sign(accounts.TextHash(msg), s.key)
	if err == nil {
		sig[crypto.RecoveryIDOffset] += recoveryIDBase
	}
	return sig, err
}

func (s keySigner) Account() accounts.Account {
	return accounts.Account{Address: crypto.PubkeyToAddress(s.key.PublicKey)}
}

func TestGoldenTickets(t *testing.T) {
	validator := NewValidator(&DefaultSigVerifier{}, nil)
	for _, c := range readGolden(t).Tickets {
		t.Run(c.Name, func(t *testing.T) {
			params := &TicketParams{
				Recipient:         c.Recipient,
				FaceValue:         c.FaceValue.Int,
				WinProb:           c.WinProb.Int,
				RecipientRandHash: c.RecipientRandHash,
			}
			expiration := &TicketExpirationParams{c.CreationRound, c.CreationRoundBlockHash}
			ticket := NewTicket(params, expiration, c.Sender, c.SenderNonce)

			equalBytes(t, "auxData", ticket.AuxData(), c.AuxData)
			equalBytes(t, "auxData of the expiration params", expiration.AuxData(), c.AuxData)
			equalBytes(t, "flattened", ticket.flatten(), c.Flattened)
			hash := ticket.Hash()
			equalBytes(t, "hash", hash[:], c.Hash[:])
			equalBytes(t, "the contract's hash", hash[:], c.OnChainHash[:])
			equalRat(t, "EV", ticket.EV(), c.EV)
			equalRat(t, "EV of the params", params.EV(), c.EV)
			equalRat(t, "winProb", ticket.WinProbRat(), c.WinProbRat)
			equalRat(t, "winProb of the params", params.WinProbRat(), c.WinProbRat)

			sig, err := newKeySigner(t, c.PrivateKey).Sign(hash[:])
			if err != nil {
				t.Fatal(err)
			}
			equalBytes(t, "signature", sig, c.Signature)
			if got := (&DefaultSigVerifier{}).Verify(c.Sender, hash[:], c.Signature); got != c.SignatureValidForSender {
				t.Errorf("the signature is the sender's: %v, want %v", got, c.SignatureValidForSender)
			}

			rand := new(big.Int).SetBytes(c.RecipientRand)
			if got := recipientRandHash(rand) == c.RecipientRandHash; got != c.RecipientRandMatchesHash {
				t.Errorf("recipientRand matches: %v, want %v", got, c.RecipientRandMatchesHash)
			}
			valid := validator.ValidateTicket(c.Recipient, ticket, sig, rand) == nil
			if want := c.SignatureValidForSender && c.RecipientRandMatchesHash; valid != want {
				t.Errorf("valid: %v, want %v", valid, want)
			}
			if got := validator.IsWinningTicket(ticket, sig, rand); got != c.Wins {
				t.Errorf("wins: %v, want %v", got, c.Wins)
			}
		})
	}
}

func TestGoldenWinBoundary(t *testing.T) {
	validator := NewValidator(&DefaultSigVerifier{}, nil)
	for _, c := range readGolden(t).WinBoundary {
		ticket := &Ticket{WinProb: c.WinProb.Int}
		if got := validator.IsWinningTicket(ticket, c.Signature, new(big.Int).SetBytes(c.RecipientRand)); got != c.Wins {
			t.Errorf("%s: wins: %v, want %v", c.Name, got, c.Wins)
		}
	}
}

func TestGoldenPaymentsAreMinted(t *testing.T) {
	for _, c := range readGolden(t).Payments {
		t.Run(c.Name, func(t *testing.T) {
			params := &TicketParams{
				Recipient:         c.Recipient,
				FaceValue:         c.FaceValue.Int,
				WinProb:           c.WinProb.Int,
				RecipientRandHash: c.RecipientRandHash,
				Seed:              new(big.Int).SetBytes(c.Seed),
				ExpirationBlock:   c.ExpirationBlock.Int,
				PricePerPixel:     big.NewRat(c.PricePerUnit, c.PixelsPerUnit),
				ExpirationParams:  &TicketExpirationParams{c.CreationRound, c.CreationRoundBlockHash},
			}
			signer := newKeySigner(t, c.PrivateKey)
			if got := signer.Account().Address; got != c.Sender {
				t.Fatalf("signer is %v, want %v", got, c.Sender)
			}
			i := 0
			err := Mint(context.Background(), signer, params, nil, NonceRange{c.StartNonce + 1, c.Count}, func(sp TicketSenderParams) error {
				want := c.SenderParams[i]
				if sp.SenderNonce != want.SenderNonce {
					t.Errorf("ticket %d has nonce %d, want %d", i, sp.SenderNonce, want.SenderNonce)
				}
				equalBytes(t, "signature", sp.Sig, want.Sig)
				i++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if i != len(c.SenderParams) {
				t.Errorf("%d tickets, want %d", i, len(c.SenderParams))
			}
		})
	}
}

func equalBytes(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s is %x, want %x", what, got, want)
	}
}

func equalRat(t *testing.T, what string, got *big.Rat, want string) {
	t.Helper()
	if got.RatString() != want {
		t.Errorf("%s is %s, want %s", what, got.RatString(), want)
	}
}
