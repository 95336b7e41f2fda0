package pm

import (
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
)

// Recipient offers ticket params and receives tickets. Its methods may be called from any
// goroutine.
type Recipient interface {
	// ReceiveTicket checks a ticket and records its nonce. seed is the one in the ticket's
	// params. It returns the ID of the ticket's session, which is its recipientRandHash in hex,
	// and whether the ticket won.
	//
	// A *FatalReceiveErr ends the payment: it wraps ErrTicketRecipient, ErrTicketSender,
	// ErrRecipientRand, ErrSenderUnlocking, a *FieldError, or a failure to look up the sender.
	// After any other error the rest of a batch may still be accepted: ErrTicketSignature,
	// ErrNonceReplayed, ErrTooManyNonces and ErrTicketParamsExpired. A refused ticket has not
	// won, except that an expired one reports whether it did: it is not credited and can be
	// redeemed.
	ReceiveTicket(ticket *Ticket, sig []byte, seed *big.Int) (sessionID string, won bool, err error)

	// RedeemWinningTicket queues a winner for redemption, which happens some time after its
	// params have expired. It fails as ReceiveTicket does for an invalid ticket, and with
	// ErrNotWinning.
	RedeemWinningTicket(ticket *Ticket, sig []byte, seed *big.Int) error

	// TicketParams returns fresh params for a sender at a price in wei per pixel. At price 0
	// nothing has to be paid: face value and winProb are 0. It fails with
	// ErrInsufficientSenderReserve if the sender's funds are too small for a face value that is
	// worth redeeming.
	TicketParams(sender common.Address, price *big.Rat) (*TicketParams, error)

	// TxCostMultiplier returns the ratio of the face value of this sender's tickets to the cost
	// of redemption; 0 if redemption costs nothing. It fails as TicketParams does.
	TxCostMultiplier(sender common.Address) (*big.Rat, error)

	// EV returns every ticket's expected value, in wei.
	EV() *big.Rat

	// SetMaxFaceValue sets the highest face value to offer, in wei; 0 is no limit.
	SetMaxFaceValue(maxfacevalue *big.Int)
}

// GasPriceMonitor has the current gas price.
type GasPriceMonitor interface {
	// GasPrice returns the gas price, in wei per unit of gas.
	GasPrice() *big.Int
}

// paramsLife is how many L1 blocks params can be used for.
const paramsLife = 40

// recipient implements Recipient.
type recipient struct {
	addr   common.Address
	val    Validator
	gpm    GasPriceMonitor
	sm     SenderMonitor
	tm     TimeManager
	secret [32]byte
	cfg    TicketParamsConfig

	replays *replayGuard

	mu           sync.Mutex
	maxFaceValue *big.Int
}

// NewRecipient returns a Recipient with a fresh random secret: its params are worthless to any
// other recipient, also after a restart. Winners are redeemed by sm, so broker is not used and
// may be nil. It fails for an invalid config.
func NewRecipient(addr common.Address, broker Broker, val Validator, gpm GasPriceMonitor, sm SenderMonitor, tm TimeManager, cfg TicketParamsConfig) (Recipient, error) {
	if cfg.EV == nil || cfg.RedeemGas < 0 || cfg.TxCostMultiplier < 0 {
		return nil, errors.New("a recipient needs an EV, and a redeemGas and txCostMultiplier of at least 0")
	}
	if err := checkUint("EV", cfg.EV); err != nil {
		return nil, err
	}
	secret := [32]byte(RandBytes(32))
	return NewRecipientWithSecret(addr, broker, val, gpm, sm, tm, secret, cfg), nil
}

// NewRecipientWithSecret returns a Recipient that accepts tickets for all params made with the
// same secret, as after a restart. Nonces that were seen before the restart are not remembered:
// until old params expire a ticket can be repeated.
func NewRecipientWithSecret(addr common.Address, broker Broker, val Validator, gpm GasPriceMonitor, sm SenderMonitor, tm TimeManager, secret [32]byte, cfg TicketParamsConfig) Recipient {
	cfg.EV = new(big.Int).Set(num.OrZero(cfg.EV))
	return &recipient{
		addr:         addr,
		val:          val,
		gpm:          gpm,
		sm:           sm,
		tm:           tm,
		secret:       secret,
		cfg:          cfg,
		replays:      newReplayGuard(),
		maxFaceValue: new(big.Int),
	}
}

func (r *recipient) EV() *big.Rat { return new(big.Rat).SetInt(r.cfg.EV) }

func (r *recipient) SetMaxFaceValue(maxfacevalue *big.Int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.maxFaceValue = new(big.Int).Set(num.OrZero(maxfacevalue))
}

func (r *recipient) TicketParams(sender common.Address, price *big.Rat) (*TicketParams, error) {
	if price == nil || price.Sign() < 0 {
		return nil, fmt.Errorf("the price of ticket params must not be negative: %v", price)
	}
	lastBlock := r.tm.LastSeenL1Block()
	if lastBlock == nil {
		return nil, errors.New("the last L1 block is not known")
	}
	r.replays.forget(lastBlock)

	faceValue := new(big.Int)
	if price.Sign() > 0 {
		var err error
		if faceValue, err = r.faceValue(sender); err != nil {
			return nil, err
		}
	}
	expiration, err := r.expirationParams()
	if err != nil {
		return nil, err
	}
	params := &TicketParams{
		Recipient:        r.addr,
		FaceValue:        faceValue,
		WinProb:          r.winProb(faceValue),
		Seed:             new(big.Int).SetBytes(RandBytes(uintBytes)),
		ExpirationBlock:  new(big.Int).Add(lastBlock, big.NewInt(paramsLife)),
		PricePerPixel:    copyRat(price),
		ExpirationParams: expiration,
	}
	recipientRand, err := r.rand(params.Seed, NewTicket(params, nil, sender, 0))
	if err != nil {
		return nil, err
	}
	params.RecipientRandHash = recipientRandHash(recipientRand)
	return params, nil
}

func (r *recipient) TxCostMultiplier(sender common.Address) (*big.Rat, error) {
	faceValue, err := r.faceValue(sender)
	if err != nil {
		return nil, err
	}
	cost := r.cfg.TxCost(r.gpm.GasPrice())
	if cost.Sign() == 0 {
		return new(big.Rat), nil
	}
	return new(big.Rat).SetFrac(faceValue, cost), nil
}

// faceValue returns the face value to offer a sender: a multiple of what redemption costs,
// within what the sender's funds and this recipient's own limit allow.
func (r *recipient) faceValue(sender common.Address) (*big.Int, error) {
	maxFloat, err := r.sm.MaxFloat(sender)
	if err != nil {
		return nil, fmt.Errorf("max float of sender %v: %w", sender, err)
	}
	r.mu.Lock()
	maxFaceValue := new(big.Int).Set(r.maxFaceValue)
	r.mu.Unlock()
	return r.cfg.FaceValue(r.gpm.GasPrice(), maxFloat, maxFaceValue)
}

// winProb returns EV · ceil((2^256-1) / faceValue), which gives a ticket at least the
// configured EV; at most 2^256-1, and 0 for a face value of 0.
func (r *recipient) winProb(faceValue *big.Int) *big.Int {
	if faceValue.Sign() == 0 {
		return new(big.Int)
	}
	most := maxWinProb()
	winProb := num.Ceil(new(big.Rat).SetFrac(most, faceValue))
	winProb.Mul(winProb, r.cfg.EV)
	if winProb.Cmp(most) > 0 {
		return most
	}
	return winProb
}

// expirationParams returns the last initialized round, or the one before if the chain has no
// block hash for it: tickets of such a round cannot be redeemed.
func (r *recipient) expirationParams() (*TicketExpirationParams, error) {
	round, hash := num.OrZero(r.tm.LastInitializedRound()), common.Hash(r.tm.LastInitializedL1BlockHash())
	if hash == (common.Hash{}) {
		round, hash = new(big.Int).Sub(round, big.NewInt(1)), r.tm.PreLastInitializedL1BlockHash()
	}
	if hash == (common.Hash{}) || round.Sign() < 0 || !round.IsInt64() {
		return nil, fmt.Errorf("no initialized round with a block hash: the last one is %v", r.tm.LastInitializedRound())
	}
	return &TicketExpirationParams{CreationRound: round.Int64(), CreationRoundBlockHash: hash}, nil
}
