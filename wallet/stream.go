package wallet

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// The nonces of firstTogether batches are reserved at first, so that signing starts soon, then
// twice as many each time, up to reserveTogether. An interrupted stream leaves reserved nonces
// unused.
const (
	firstTogether   = 4
	reserveTogether = 128
)

// StreamOptions are the parameters of Stream.
type StreamOptions struct {
	// In has one params document per line. If it is an io.Closer, Stream closes it when the context
	// ends, to end a pending read. Out gets one line for each and is flushed after it, if it has a
	// method Flush.
	In  io.Reader
	Out io.Writer

	// Format is format.JSONLine, format.HeadersLine or format.Payment.
	Format string

	// Amount, Adopt and Credentials apply to each batch, as in MintOptions.
	Amount      pay.Amount
	Adopt       bool
	Credentials Credentials

	// RequestID and the line's number make each batch idempotent; "" for new batches.
	RequestID string

	// Failed, if set, writes the error that takes the place of a failed line. It gets the URL of the
	// line's recipient, "" if that is unknown.
	Failed func(url string, err error) error
}

// StreamResult counts what a stream did.
type StreamResult struct {
	// Lines were read. Failed of them gave no batch, the first because of FirstFailure.
	Lines, Failed int
	FirstFailure  error
	// Batches and Tickets were written. The nonces of Unwritten batches are used up.
	Batches, Tickets, Unwritten int64
}

// String describes the result in words.
func (s StreamResult) String() string {
	return fmt.Sprintf("created %s in %s", words.Count(s.Tickets, "ticket"), Batches(s.Batches))
}

// Batches returns a number of batches in words.
func Batches(n int64) string {
	if n == 1 {
		return "1 batch"
	}
	return fmt.Sprintf("%d batches", n)
}

// stream creates a batch for each line of params.
type stream struct {
	minter
	o      StreamOptions
	in     *bufio.Reader
	writer format.BatchWriter
	// lines were read; ready are those whose batches can be signed.
	lines int
	ready []*streamedLine
	// together is the number of batches to reserve nonces for at once.
	together int
	// reserved batches have nonces; written and tickets were written to Out.
	reserved         int
	written, tickets atomic.Int64
	failed           int
	firstFailure     error
}

type streamedLine struct {
	number  int
	url     string // of its recipient, as the line has it
	planned *planned
	batch   *Batch
	err     error
}

// Stream creates a batch for each line of params, in order. A failed line does not affect the
// others; a failure that affects all lines ends the stream. Stream returns the errors of Mint and
// of Out.
func (w *Wallet) Stream(ctx context.Context, o StreamOptions) (StreamResult, error) {
	if err := w.requireAccount(); err != nil {
		return StreamResult{}, err
	}
	if o.In == nil || o.Out == nil {
		return StreamResult{}, errors.New("no stream: set In and Out")
	}
	look := chainView{Wallet: w}
	s := &stream{o: o, together: firstTogether, in: bufio.NewReaderSize(o.In, 1<<18)}
	s.minter = minter{Wallet: w, look: &look, payer: look.payer(), pins: w.pins(pay.Target{})}
	s.plan = s.payer.Propose
	s.payer.Chain = &recentFacts{chain: s.payer.Chain, now: w.Now}
	s.pins.Known = &recentlyKnown{Known: s.pins.Known, now: w.Now}
	if err := s.payer.CheckSender(ctx); err != nil {
		return StreamResult{}, err
	}
	if err := s.unlock(ctx); err != nil {
		return StreamResult{}, err
	}
	var err error
	if s.writer, err = format.NewBatchWriter(o.Out, o.Format); err != nil {
		return StreamResult{}, err
	}
	done := w.UI.Progress(func() string { return s.made().String() })
	err = s.mint(ctx)
	done()
	made := s.made()
	made.Lines, made.Failed, made.FirstFailure = s.lines, s.failed, s.firstFailure
	made.Unwritten = int64(s.reserved) - made.Batches
	return made, err
}

func (s *stream) made() StreamResult {
	return StreamResult{Batches: s.written.Load(), Tickets: s.tickets.Load()}
}

func (s *stream) mint(ctx context.Context) error {
	orderSigner, ok := s.key.(pay.TicketSigner)
	if !ok {
		return pm.MintOrders(ctx, signer.ForPM(ctx, s.key), func(ctx context.Context) (*pm.Order, error) {
			line, err := s.next(ctx)
			if err != nil {
				return nil, err
			}
			return s.order(line)
		})
	}
	for {
		line, err := s.next(ctx)
		if err == io.EOF { // one that wraps it is a failure
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.mintThrough(ctx, orderSigner, line); err != nil {
			return err
		}
	}
}

// mintThrough writes a line's batch, signed by a signer that gets the whole order at once.
func (s *stream) mintThrough(ctx context.Context, orderSigner pay.TicketSigner, line *streamedLine) error {
	order, err := s.order(line)
	if err != nil {
		return err
	}
	if err := order.Begin(); err != nil || line.err != nil {
		return err
	}
	if err := orderSigner.SignTickets(ctx, line.batch.Tickets, order.Emit); err != nil {
		return err
	}
	return order.End()
}

// next returns the next line that can be signed, or that has failed. The pipeline calls it ahead of
// the writer.
func (s *stream) next(ctx context.Context) (*streamedLine, error) {
	if len(s.ready) == 0 {
		if err := s.readGroup(ctx); err != nil {
			return nil, err
		}
	}
	line := s.ready[0]
	s.ready = s.ready[1:]
	return line, nil
}

// order returns the signing order of a line, and how to write its tickets.
func (s *stream) order(line *streamedLine) (*pm.Order, error) {
	if line.err != nil {
		return &pm.Order{Begin: func() error { return s.writeFailure(line) }}, nil
	}
	t := line.batch
	header, err := t.Header()
	if err != nil {
		return nil, err
	}
	return &pm.Order{
		Params: t.Params, Expiration: &t.Expiration, Nonces: t.Nonces,
		Begin: func() error { return s.writer.Begin(header) },
		Emit:  s.writer.Ticket,
		End: func() error {
			if err := s.writer.End(); err != nil {
				return err
			}
			s.written.Add(1)
			s.tickets.Add(int64(t.Count))
			return s.flush()
		},
	}, nil
}

// readGroup reads the lines that are available, at least one, and reserves their nonces together.
// It returns io.EOF after the last line.
func (s *stream) readGroup(ctx context.Context) error {
	// The context ends a pending read by closing the input.
	if in, ok := s.o.In.(io.Closer); ok {
		stop := context.AfterFunc(ctx, func() { in.Close() })
		defer stop()
	}
	for len(s.ready) < s.together && (len(s.ready) == 0 || s.lineIsThere()) {
		text, err := s.readLine()
		if errors.Is(err, io.EOF) && len(s.ready) > 0 {
			break // the next call returns it again
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		line := &streamedLine{number: s.lines}
		if line.err = s.read(ctx, line, text); endsStream(ctx, line.err) {
			return line.err
		}
		s.ready = append(s.ready, line)
	}
	s.together = min(2*s.together, reserveTogether)
	return s.reserve(ctx)
}

// endsStream reports whether an error affects more than its line.
func endsStream(ctx context.Context, err error) bool {
	if isAny(err, pay.ErrUnreachable, pay.ErrNotRecipient) && ctx.Err() == nil {
		return false // that is the line's recipient
	}
	return err != nil && (ctx.Err() != nil || unreachable(err) || errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrAccess) || errors.Is(err, store.ErrBusy))
}

func (s *stream) lineIsThere() bool {
	buffered, _ := s.in.Peek(s.in.Buffered())
	return bytes.IndexByte(buffered, '\n') >= 0
}

// readLine reads the next line that is neither empty nor a comment.
func (s *stream) readLine() ([]byte, error) {
	var text []byte
	for {
		part, err := s.in.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > format.MaxSize:
			return nil, fmt.Errorf("line %d: %w: more than %d bytes", s.lines+1, format.ErrTooLarge, format.MaxSize)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		}
		if len(text) > 0 {
			s.lines++
		}
		if s.lines == 1 {
			text = bytes.TrimPrefix(text, []byte(input.ByteOrderMark))
		}
		if line := bytes.TrimSpace(text); len(line) > 0 && line[0] != '#' {
			return text, nil
		}
		if err != nil {
			return nil, err
		}
		text = text[:0]
	}
}

func (s *stream) read(ctx context.Context, line *streamedLine, text []byte) error {
	m := &MintOptions{Adopt: s.o.Adopt, Amount: s.o.Amount, Credentials: s.o.Credentials}
	what, err := m.readLine(text)
	if err != nil {
		return err
	}
	line.url = urlText(m.Recipient.URL)
	if m.Params != nil {
		line.url = m.Params.URL
	}
	if s.o.RequestID != "" {
		if m.request, err = named(lineID(s.o.RequestID, line.number), lineDigest(what, m.Amount)); err != nil {
			return err
		}
	}
	before, err := s.requested(ctx, m.request)
	if err != nil {
		return err
	}
	if before != nil {
		return s.repeat(ctx, line, before)
	}
	if line.planned, err = s.planLine(ctx, m); err != nil {
		return err
	}
	return s.complete(ctx, line.planned, m)
}

// readLine reads what a line names: ticket params, or a recipient with its amount. It returns what
// tells the two from others under the same request ID.
func (m *MintOptions) readLine(text []byte) (what string, err error) {
	if bytes.ContainsAny(bytes.TrimLeft(text, " \t")[:1], "{[\"") {
		if m.Params, err = format.ReadParams(bytes.NewReader(text)); err != nil {
			return "", err
		}
		return recipientOf(m.Params), nil
	}
	m.Recipient, m.Amount, err = parseOrder(string(text), m.Amount)
	return "to " + m.Recipient.String(), err
}

// planLine plans a line's batch: on its params, or on those that its recipient is asked for.
func (s *stream) planLine(ctx context.Context, m *MintOptions) (*planned, error) {
	if m.Params != nil {
		return s.given(ctx, m)
	}
	u, err := s.look.locate(ctx, m.Recipient, nil)
	if err != nil {
		return nil, err
	}
	return s.fetched(ctx, u, m)
}

// repeat returns the batch that was created before for the line.
func (s *stream) repeat(ctx context.Context, line *streamedLine, before *store.Record) error {
	recipe, tickets, err := s.payer.Again(ctx, before)
	if err == nil {
		line.batch = s.repeated(recipe, tickets)
		s.reserved++
	}
	return err
}

// reserve reserves the nonces of the ready lines. A refused line does not affect the others.
func (s *stream) reserve(ctx context.Context) error {
	if err := s.pin(ctx); err != nil {
		return err
	}
	var plans []*pay.Plan
	var lines []*streamedLine
	for _, line := range s.ready {
		if line.err == nil && line.batch == nil {
			plans, lines = append(plans, line.planned.Plan), append(lines, line)
		}
	}
	if len(plans) == 0 {
		return nil
	}
	outcomes, err := s.payer.ReserveAll(ctx, plans)
	if err != nil {
		return err
	}
	for i, line := range lines {
		tickets, err := outcomes[i].Tickets, outcomes[i].Err
		switch {
		case endsStream(ctx, err):
			line.err = err
			return err
		case err != nil:
			line.err = err
		case tickets.Before != nil:
			line.err = s.repeat(ctx, line, tickets.Before)
		default:
			line.batch = s.batch(tickets, line.planned)
			s.reserved++
		}
	}
	return nil
}

// pin pins the addresses behind the URLs of the ready lines, in order, and refuses a line whose URL
// is pinned to another address.
func (s *stream) pin(ctx context.Context) error {
	var pins []store.Pin
	var lines []*streamedLine
	for _, line := range s.ready {
		if line.err != nil || line.batch != nil {
			continue
		}
		if only := line.planned.only; only != (common.Address{}) {
			named := s.pins
			named.Only = only
			line.err = named.Keep(ctx, line.planned.url, line.planned.Params.Recipient)
			continue
		}
		if line.planned.url != (pay.URL{}) {
			pins = append(pins, store.Pin{URL: line.planned.url.String(), Recipient: line.planned.Params.Recipient})
			lines = append(lines, line)
		}
	}
	if len(pins) == 0 {
		return nil
	}
	errs, err := s.pins.KeepAll(ctx, pins)
	for i, line := range lines[:len(errs)] {
		line.err = errs[i]
	}
	return err
}

func (s *stream) writeFailure(line *streamedLine) error {
	line.err = fmt.Errorf("line %d: %w", line.number, line.err)
	if s.failed++; s.firstFailure == nil {
		s.firstFailure = line.err
	}
	if s.o.Failed == nil {
		return nil
	}
	if err := s.o.Failed(line.url, line.err); err != nil {
		return err
	}
	return s.flush()
}

func (s *stream) flush() error {
	if out, ok := s.o.Out.(interface{ Flush() error }); ok {
		return out.Flush()
	}
	return nil
}
