package pm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/ordered"
)

// Order is a range of tickets to mint from one set of params. Its nonces are reserved.
type Order struct {
	// Params are the tickets' params. A nil Expiration means the params' own.
	Params     *TicketParams
	Expiration *TicketExpirationParams

	// Nonces are the tickets', one each. An order without nonces needs no params: it only keeps
	// its place among the others.
	Nonces NonceRange

	// Begin and End, unless nil, are called before the first ticket is emitted and after the
	// last.
	Begin, End func() error

	// Emit receives the signed tickets in nonce order; an order with nonces needs it. Its argument is
	// valid until it returns: its Sig is reused.
	Emit func(TicketSenderParams) error
}

// Mint signs one ticket for each nonce of the range and calls emit with each, in nonce order.
// It neither checks the params against limits nor remembers nonces: the caller has reserved the
// range, durably if real money is at stake. A nil expiration means the params' own. It uses as
// many cores and as much memory as MintOrders.
//
// The argument of emit is valid until emit returns: its Sig is reused. Mint stops at emit's
// first error, and when ctx ends, and returns that error. Before it signs anything it fails
// with *FieldError for numbers that do not fit their fields, with *NonceCapError for a range
// beyond 2^32-1, and for nil params, a range that begins at 0 and a nil emit.
func Mint(ctx context.Context, signer Signer, params *TicketParams, expiration *TicketExpirationParams, nonces NonceRange, emit func(TicketSenderParams) error) error {
	if nonces.Count <= firstTickets {
		return MintSerially(ctx, signer, params, expiration, nonces, emit)
	}
	order := &Order{Params: params, Expiration: expiration, Nonces: nonces, Emit: emit}
	return MintOrders(ctx, signer, func(context.Context) (*Order, error) {
		next := order
		order = nil
		if next == nil {
			return nil, io.EOF
		}
		return next, nil
	})
}

// MintSerially does what Mint does on the calling goroutine alone, for a caller that mints for
// many at once.
func MintSerially(ctx context.Context, signer Signer, params *TicketParams, expiration *TicketExpirationParams, nonces NonceRange, emit func(TicketSenderParams) error) error {
	if nonces.Count == 0 {
		return params.CheckFields()
	}
	order, err := newMintOrder(&Order{Params: params, Expiration: expiration, Nonces: nonces, Emit: emit}, signer.Account().Address)
	if err != nil {
		return err
	}
	d, sign := newDigester(), signTickets(signer)
	d.use(order.template)
	var sig [sigBytes]byte
	for i := range nonces.Count {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := sign(d, nonces.First+i, sig[:]); err != nil {
			return err
		}
		if err := emit(TicketSenderParams{SenderNonce: nonces.First + i, Sig: sig[:]}); err != nil {
			return err
		}
	}
	return nil
}

// MintOrders signs the tickets of one order after another. next returns the orders and finally
// io.EOF itself: an error that wraps it is a failure. Tickets are emitted in order, on the calling
// goroutine and as soon as they are signed; next is called ahead of that on another one, and must
// return when its ctx ends.
//
// A DigestSigner is used on all cores, any other Signer by one goroutine. Memory does not grow
// with the number of tickets: a slow Emit delays the signatures.
//
// It stops at the first error of next, of an Emit or of the signer, at an order that Mint would
// refuse, and when ctx ends, and returns that error. Earlier tickets have been emitted then,
// unless an Emit failed or ctx ended. When it returns, nothing is running any more.
func MintOrders(ctx context.Context, signer Signer, next func(context.Context) (*Order, error)) error {
	return mintOrders(ctx, signer, min(runtime.NumCPU(), runtime.GOMAXPROCS(0)), next)
}

func mintOrders(ctx context.Context, signer Signer, workers int, next func(context.Context) (*Order, error)) error {
	sign := signTickets(signer)
	if _, ok := signer.(DigestSigner); !ok {
		workers = 1
	}
	feed := feeder{sender: signer.Account().Address, next: next}
	return ordered.Run(ctx, ordered.Job[chunk]{
		Workers: workers,
		Depth:   chunksAhead * workers,
		Fill:    feed.fill,
		NewWorker: func() func(context.Context, *chunk) {
			d := newDigester()
			return func(ctx context.Context, c *chunk) { c.sign(ctx, d, sign) }
		},
		Emit: func(c *chunk) error { return c.emit(ctx) },
	})
}

const (
	// A worker first signs firstTickets at once, few enough that small batches keep every
	// worker busy, and later up to chunkTickets: passing on each chunk wakes a goroutine.
	firstTickets = 16
	chunkTickets = 64

	// chunksAhead is how many chunks there are for each worker, so that none waits while the
	// next order is prepared: 60 ms of signatures.
	chunksAhead = 32
)

// chunkSize is how many tickets are signed at once after a number of others.
func chunkSize(before uint64) uint32 {
	const share = 32
	return uint32(min(max(before/share, firstTickets), chunkTickets))
}

// chunk is neighbouring tickets of an order.
type chunk struct {
	order       *mintOrder
	nonces      NonceRange
	first, last bool // of its order
	// sigs are the signatures of the first tickets; err is why the next one has none.
	sigs   [chunkTickets][sigBytes]byte
	signed int
	err    error
}

// mintOrder is a checked order, with its tickets' hashed bytes.
type mintOrder struct {
	*Order
	template []byte
}

// feeder divides orders into chunks.
type feeder struct {
	sender common.Address
	next   func(context.Context) (*Order, error)
	order  *mintOrder
	rest   NonceRange
	// given is how many tickets are in earlier chunks.
	given uint64
}

func (f *feeder) fill(ctx context.Context, c *chunk) error {
	first := f.rest.Count == 0
	if first {
		order, err := f.next(ctx)
		if err != nil {
			return err
		}
		if f.order, err = newMintOrder(order, f.sender); err != nil {
			return err
		}
		f.rest = order.Nonces
	}
	count := min(f.rest.Count, chunkSize(f.given))
	f.given += uint64(count)
	c.order, c.nonces, c.signed, c.err = f.order, NonceRange{f.rest.First, count}, 0, nil
	f.rest.First += count
	f.rest.Count -= count
	c.first, c.last = first, f.rest.Count == 0
	return nil
}

func newMintOrder(o *Order, sender common.Address) (*mintOrder, error) {
	if o == nil {
		return nil, errors.New("no order of tickets")
	}
	nonces := o.Nonces
	if nonces.Count == 0 {
		return &mintOrder{o, nil}, nil
	}
	template, err := flatTemplate(o, sender)
	if err != nil {
		return nil, err
	}
	switch {
	case o.Emit == nil:
		return nil, errors.New("an order of tickets needs Emit")
	case nonces.First == 0:
		return nil, errors.New("nonces begin at 1, not at 0")
	case uint64(nonces.First)+uint64(nonces.Count)-1 > math.MaxUint32:
		return nil, &NonceCapError{RecipientRandHash: o.Params.RecipientRandHash, Used: nonces.First - 1, Asked: uint64(nonces.Count), Cap: math.MaxUint32}
	}
	return &mintOrder{o, template}, nil
}

// flatTemplate returns the hashed bytes of the order's tickets, without a nonce.
func flatTemplate(o *Order, sender common.Address) ([]byte, error) {
	if err := o.Params.CheckFields(); err != nil {
		return nil, err
	}
	ticket := NewTicket(o.Params, o.Expiration, sender, 0)
	if err := ticket.CheckFields(); err != nil {
		return nil, err
	}
	return ticket.flatten(), nil
}

// sign signs the chunk's tickets until one fails or ctx ends.
func (c *chunk) sign(ctx context.Context, d *digester, sign signFunc) {
	if c.nonces.Count > 0 {
		d.use(c.order.template)
	}
	for c.signed < int(c.nonces.Count) {
		nonce := c.nonces.First + uint32(c.signed)
		sig := c.sigs[c.signed][:]
		if c.err = ctx.Err(); c.err == nil {
			c.err = sign(d, nonce, sig)
		}
		if c.err != nil {
			return
		}
		c.signed++
	}
}

// emit emits the signed tickets, and fails if some are missing.
func (c *chunk) emit(ctx context.Context) error {
	if c.first && c.order.Begin != nil {
		if err := c.order.Begin(); err != nil {
			return err
		}
	}
	for i := range c.signed {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.order.Emit(TicketSenderParams{SenderNonce: c.nonces.First + uint32(i), Sig: c.sigs[i][:]}); err != nil {
			return err
		}
	}
	if c.err == nil && c.last && c.order.End != nil {
		return c.order.End()
	}
	return c.err
}

// signFunc writes the signature of the ticket with a nonce into sig.
type signFunc func(d *digester, nonce uint32, sig []byte) error

func signTickets(signer Signer) signFunc {
	if s, ok := signer.(DigestSigner); ok {
		return func(d *digester, nonce uint32, sig []byte) error {
			return checkSigned(nonce, sig, s.SignDigest(d.digest(nonce), sig))
		}
	}
	// A signer that accepts only messages hashes the last step itself.
	return func(d *digester, nonce uint32, sig []byte) error {
		signed, err := signer.Sign(bytes.Clone(d.hash(nonce)))
		if err := checkSigned(nonce, signed, err); err != nil {
			return err
		}
		copy(sig, signed)
		return nil
	}
}

// checkSigned checks a signer's answer before it becomes a ticket.
func checkSigned(nonce uint32, sig []byte, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("sign the ticket with nonce %d: %w", nonce, err)
	case !wellFormedSig(sig):
		return fmt.Errorf("sign the ticket with nonce %d: the signer's answer is not 65 bytes R‖S‖V with low S and V 27 or 28", nonce)
	}
	return nil
}
