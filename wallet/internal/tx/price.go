package tx

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Caps are the most that a transaction may cost, with its replacements; nil is no cap.
type Caps struct {
	// Price is the most that a unit of gas may cost, Fee the most for all of the gas, in wei.
	Price, Fee *wei.Wei
	// PriceSetIn and FeeSetIn name the flag, variable or file that sets them.
	PriceSetIn, FeeSetIn string
}

// ErrPrice matches *PriceError.
var ErrPrice = errors.New("the gas costs more than the limit")

// PriceError is gas that costs more than the caps allow.
type PriceError struct {
	// What is capped: the price of a unit of gas, or the fee for all of it.
	What string
	// Needed is the least that it costs now, Cap the limit.
	Needed, Cap wei.Wei
	// SetIn names where the cap is set.
	SetIn string
}

func (e *PriceError) Error() string {
	return fmt.Sprintf("the %s is at least %s now, above the limit of %s (%s)", e.What, e.Needed, e.Cap, e.SetIn)
}

func (e *PriceError) Hint() string {
	return "wait for a lower price, or raise the limit: --max-gas-price, --max-fee, or the config file where that sets it"
}

func (e *PriceError) Is(target error) bool { return target == ErrPrice }

// What a cap limits.
const (
	priceOfGas = "price of a unit of gas"
	feeOfAll   = "fee for the gas"
)

// prices is the price of a unit of gas.
type prices struct {
	// cap is the most to offer, tip the miner's part of it, least the lowest price at which it
	// is mined now: the base fee and the tip, or the price if there is no base fee.
	cap, tip, least *big.Int
	legacy          bool
}

// ask returns the prices of a quote: a cap of twice the newest base fee covers its rise over
// five full blocks, by an eighth each.
func ask(quote *chain.Quote) (prices, error) {
	if quote.PriceErr != nil {
		return prices{}, quote.PriceErr
	}
	if quote.Head.BaseFee == nil {
		return prices{cap: quote.Price, tip: quote.Price, least: quote.Price, legacy: true}, nil
	}
	tip := quote.Tip
	base := (*big.Int)(quote.Head.BaseFee)
	return prices{
		cap:   new(big.Int).Add(new(big.Int).Lsh(base, 1), tip),
		tip:   tip,
		least: new(big.Int).Add(base, tip),
	}, nil
}

// under lowers the price to the caps. It fails with *PriceError if the cap is below the least
// price.
func (c Caps) under(p prices, gas uint64) (prices, error) {
	if c.Price != nil {
		p.cap = num.Min(p.cap, c.Price.Big())
		if p.cap.Cmp(p.least) < 0 {
			return p, priceError(priceOfGas, p.least, *c.Price, c.PriceSetIn)
		}
	}
	if c.Fee != nil && gas > 0 {
		units := new(big.Int).SetUint64(gas)
		p.cap = num.Min(p.cap, new(big.Int).Quo(c.Fee.Big(), units))
		if p.cap.Cmp(p.least) < 0 {
			return p, priceError(feeOfAll, new(big.Int).Mul(p.least, units), *c.Fee, c.FeeSetIn)
		}
	}
	if p.legacy {
		p.tip = p.cap
	}
	return p, nil
}

func priceError(what string, needed *big.Int, cap wei.Wei, setIn string) error {
	amount, err := wei.FromBig(needed)
	if err != nil {
		return err
	}
	return &PriceError{What: what, Needed: amount, Cap: cap, SetIn: setIn}
}
