package tx

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Caps are the most that a transaction may cost, its replacements included; nil is no
// cap.
type Caps struct {
	// Price is the most that a unit of gas may cost, Fee the most that all of it may, in
	// wei.
	Price, Fee *wei.Wei

	// PriceSetIn and FeeSetIn name where they are set, for people.
	PriceSetIn, FeeSetIn string
}

// ErrPrice is matched by *PriceError.
var ErrPrice = errors.New("the gas costs more than is allowed")

// PriceError is gas that costs more than the caps allow.
type PriceError struct {
	// What is capped: the price of a unit of gas, or the fee for all of it.
	What string
	// Needed is what it costs at the least now, Cap what is allowed.
	Needed, Cap wei.Wei
	// SetIn names where the cap is set.
	SetIn string
}

func (e *PriceError) Error() string {
	return fmt.Sprintf("the %s is at least %s now, above the limit of %s (%s)", e.What, e.Needed, e.Cap, e.SetIn)
}

// Hint says what to do.
func (e *PriceError) Hint() string {
	return "wait for a lower price, or raise the limit: --max-gas-price, --max-fee, or the config file where that sets it"
}

// Is matches ErrPrice.
func (e *PriceError) Is(target error) bool { return target == ErrPrice }

// What the caps are about.
const (
	priceOfGas = "price of a unit of gas"
	feeOfAll   = "fee for the gas"
)

// prices is what the chain wants for a unit of gas.
type prices struct {
	// cap is the most to offer, tip what the miner gets of it, least what it takes now
	// to be mined: the base fee and the tip, or the price where there is no base fee.
	cap, tip, least *big.Int
	legacy          bool
}

// ask is what a quote says of prices: a cap of twice the newest base fee covers its rise over
// six full blocks.
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

// under lowers the price to the caps. It fails with *PriceError where that is below
// what it takes.
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
