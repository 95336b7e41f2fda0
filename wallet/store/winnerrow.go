package store

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

var errNoTicket = errors.New("there is no ticket")

// winnerRow returns the arguments of insertWinner after a ticket's key, without the time.
func winnerRow(t *pm.SignedTicket) ([]any, error) {
	if t == nil || t.Ticket == nil {
		return nil, errNoTicket
	}
	if err := t.CheckFields(); err != nil {
		return nil, err
	}
	price := num.OrZero(t.PricePerPixel)
	for _, field := range []struct {
		name  string
		value *big.Int
	}{{"recipientRand", t.RecipientRand}, {"pricePerPixel", price.Num()}, {"pricePerPixel", price.Denom()}} {
		if v := field.value; v != nil && (v.Sign() < 0 || v.BitLen() > uintBits) {
			return nil, &pm.FieldError{Field: field.name, Negative: v.Sign() < 0, Bits: v.BitLen()}
		}
	}
	return []any{
		t.Recipient.Hex(), decimal(t.FaceValue), decimal(t.WinProb), t.CreationRound, t.CreationRoundBlockHash.Hex(),
		decimal(t.ParamsExpirationBlock), price.RatString(), hexutil.Encode(t.Sig), decimal(t.RecipientRand),
	}, nil
}

// scanWinner reads a row of winnersFields. Its errors never show a value that could be the
// secret recipientRand.
func scanWinner(rows db.Scanner) (Winner, error) {
	var (
		t                                          = &pm.Ticket{}
		sender, randHash, recipient, roundHash     string
		faceValue, winProb, expiration, price, sig string
		rand                                       string
		settledAt                                  sql.NullInt64
		settledBy                                  sql.NullString
	)
	err := rows.Scan(&sender, &randHash, &t.SenderNonce, &recipient, &faceValue, &winProb, &t.CreationRound,
		&roundHash, &expiration, &price, &sig, &rand, &settledAt, &settledBy)
	if err != nil {
		return Winner{}, err
	}
	w := Winner{SignedTicket: &pm.SignedTicket{Ticket: t}, Settled: settledAt.Valid}
	err = cmp.Or(
		column("sender", &t.Sender, parseAddress, sender),
		column("recipient_rand_hash", &t.RecipientRandHash, parseHash, randHash),
		column("recipient", &t.Recipient, parseAddress, recipient),
		column("face_value", &t.FaceValue, parseUint, faceValue),
		column("win_prob", &t.WinProb, parseUint, winProb),
		column("creation_round_block_hash", &t.CreationRoundBlockHash, parseHash, roundHash),
		column("expiration_block", &t.ParamsExpirationBlock, parseUint, expiration),
		column("price_per_pixel", &t.PricePerPixel, parsePrice, price),
		column("sig", &w.Sig, hexutil.Decode, sig),
		column("recipient_rand", &w.RecipientRand, parseUint, rand),
		t.CheckFields(),
	)
	if settledBy.Valid {
		err = cmp.Or(err, column("settled_by", &w.SettledBy, parseHash, settledBy.String))
	}
	if err != nil {
		return Winner{}, fmt.Errorf("the winning ticket with nonce %d of %.42q: %w", t.SenderNonce, sender, err)
	}
	return w, nil
}

func parsePrice(text string) (*big.Rat, error) { return parseFraction(text, parseUint) }
