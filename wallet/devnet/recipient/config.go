package recipient

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/params"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet/runners"
	"github.com/pmctl/pmctl/wallet/store"
)

// Config has the settings and parts of a recipient.
type Config struct {
	// Address is the recipient's: registered and active on the chain.
	Address common.Address

	// ChainID is the chain's; winning tickets of other chains in the store are ignored.
	ChainID uint64

	// StorePath is the file of winning tickets: the next recipient with this file redeems those
	// that this one leaves. Only one recipient at a time may use it. Without it the tickets are
	// in a temporary file, which is removed with the recipient.
	StorePath string

	// Broker redeems winning tickets, in transactions of Address.
	Broker pm.Broker

	// Time and Senders read the contracts.
	Time    pm.TimeManager
	Senders pm.SenderManager

	// IsActive reports whether a recipient is in the active pool in a round.
	IsActive store.ActiveFunc

	// Economy is the recipient's prices and tickets.
	Economy Economy

	// Runners are the live runners that it offers.
	Runners []runners.Runner

	// Faults are on from the start; see Faults for the list.
	Faults []string

	// Sync, unless nil, returns once Time and Senders have the chain's newest block. It is
	// called before each request.
	Sync func(ctx context.Context) error

	// Now is the clock.
	Now func() time.Time
}

// Economy is a recipient's prices and tickets.
type Economy struct {
	// PricePerUnit for PixelsPerUnit pixels, in wei.
	PricePerUnit, PixelsPerUnit int64

	// Works are the kinds of AI work that it offers, each at its own price.
	Works []PricedWork

	// Tickets is the value of its tickets; see pm.Recipient for how face value and winProb
	// follow from it.
	Tickets pm.TicketParamsConfig

	// GasPrice is the assumed price of a redemption, in wei per unit of gas.
	GasPrice *big.Int

	// MaxFaceValue caps the face value, in wei; nil for no cap.
	MaxFaceValue *big.Int
}

// PricedWork is a kind of AI work and its price, PricePerUnit wei for PixelsPerUnit pixels.
type PricedWork struct {
	wire.Work
	PricePerUnit, PixelsPerUnit int64
}

// DefaultEconomy returns the economy that the package's documentation derives: tickets of 4000
// gwei that win one time in four.
func DefaultEconomy() Economy {
	return Economy{
		PricePerUnit:  1200,
		PixelsPerUnit: 1,
		Works: []PricedWork{
			{Work: wire.Work{Pipeline: "live-video-to-video", Model: "noop"}, PricePerUnit: 1900, PixelsPerUnit: 1},
			{Work: wire.Work{Pipeline: "text-to-image", Model: "local/still"}, PricePerUnit: 9001, PixelsPerUnit: 2},
		},
		Tickets: pm.TicketParamsConfig{
			EV:               big.NewInt(1000 * params.GWei),
			RedeemGas:        200_000,
			TxCostMultiplier: 2,
		},
		GasPrice: big.NewInt(params.GWei / 100),
	}
}

func (c *Config) check() error {
	switch {
	case c.Address == (common.Address{}):
		return errors.New("a recipient needs an address")
	case c.Broker == nil || c.Time == nil || c.Senders == nil || c.IsActive == nil || c.Now == nil:
		return errors.New("a recipient needs its contracts and a clock")
	case c.Economy.PixelsPerUnit <= 0 || c.Economy.PricePerUnit < 0:
		return errors.New("a recipient's price must be a number of wei for at least one pixel")
	case c.Economy.Tickets.EV == nil || c.Economy.Tickets.EV.Sign() < 0:
		return errors.New("a recipient's ticket EV must be at least 0")
	case c.Economy.GasPrice == nil || c.Economy.GasPrice.Sign() <= 0:
		return errors.New("a recipient needs a gas price")
	}
	for _, work := range c.Economy.Works {
		if work.PixelsPerUnit <= 0 || work.PricePerUnit < 0 {
			return fmt.Errorf("the price of %s must be a number of wei for at least one pixel", work.Work)
		}
	}
	return nil
}

// fixedGasPrice is a pm.GasPriceMonitor with a constant price, in wei.
type fixedGasPrice struct{ wei *big.Int }

func (p fixedGasPrice) GasPrice() *big.Int { return new(big.Int).Set(p.wei) }
