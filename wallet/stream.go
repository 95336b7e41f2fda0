package wallet

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// The nonces of firstTogether batches are taken at once to begin with, so that tickets are
// signed soon, then of twice as many each time, up to reserveTogether. What is taken when
// a stream is interrupted makes no tickets.
const (
	firstTogether   = 4
	reserveTogether = 128
)

// StreamOptions says how batches are made of lines of ticket params.
type StreamOptions struct {
	// In has a params document a line. Where it is an io.Closer it is closed when the
	// context ends, so that a read ends too. Out gets a line for each, as soon as it is
	// ready; it is flushed where it can be.
	In  io.Reader
	Out io.Writer

	// Format is format.JSONLine or format.Payment.
	Format string

	// Amount, Adopt and Credentials are those of each batch, as in MintOptions.
	Amount      pay.Amount
	Adopt       bool
	Credentials Credentials

	// RequestID names the lines' batches together with their numbers; "" for batches of
	// their own.
	RequestID string

	// Failed writes what takes the place of a line that makes no batch.
	Failed func(error) error
}

// Streamed is what a stream has made.
type StreamResult struct {
	// Lines is how many were read; Failed of them made no batch, the first for FirstFailure.
	Lines, Failed int
	FirstFailure  error

	// Batches and Tickets are written; Unwritten batches have their nonces used up.
	Batches, Tickets, Unwritten int64
}

// String says it for people.
func (s StreamResult) String() string {
	return fmt.Sprintf("made %s in %s", words.Count(s.Tickets, "ticket"), Batches(s.Batches))
}

// Batches counts batches, for people.
func Batches(n int64) string {
	if n == 1 {
		return "1 batch"
	}
	return fmt.Sprintf("%d batches", n)
}

// stream makes a batch of each line of params.
type stream struct {
	minter
	o      StreamOptions
	in     *bufio.Reader
	writer format.BatchWriter

	// lines is how many were read; ready are those whose batches can be minted.
	lines int
	ready []*streamedLine
	// together is how many batches' nonces are taken at once next.
	together int
	// reserved is how many batches have nonces; written and tickets are what is written.
	reserved         int
	written, tickets atomic.Int64
	failed           int
	firstFailure     error
}

// streamedLine is a line of params, and what becomes of it.
type streamedLine struct {
	number  int
	planned *planned
	batch   *Batch
	err     error
}

// Stream makes a batch of each line of params, in order. A line that makes none leaves the
// others alone; what concerns more than a line ends the stream. It fails as Mint does, and
// with what Out fails with.
func (w *Wallet) Stream(ctx context.Context, o StreamOptions) (StreamResult, error) {
	if err := w.requireAccount(); err != nil {
		return StreamResult{}, err
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

// made is what is written so far.
func (s *stream) made() StreamResult {
	return StreamResult{Batches: s.written.Load(), Tickets: s.tickets.Load()}
}

// mint writes the batches of all lines.
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
		if errors.Is(err, io.EOF) {
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

// mintThrough writes a line's batch with the signatures of a signer that is given the whole order
// at once.
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

// next returns the next line whose batch can be minted, or that has failed. The pipeline
// calls it ahead of what is written.
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

// order is what is minted for a line, and how it is written.
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

// readGroup reads the lines that are there already, at least one, and takes all their
// nonces at once. It fails with io.EOF behind the last line.
func (s *stream) readGroup(ctx context.Context) error {
	// A read ends with the pipeline, not only with the input.
	if in, ok := s.o.In.(io.Closer); ok {
		stop := context.AfterFunc(ctx, func() { in.Close() })
		defer stop()
	}
	for len(s.ready) < s.together && (len(s.ready) == 0 || s.lineIsThere()) {
		text, err := s.readLine()
		if errors.Is(err, io.EOF) && len(s.ready) > 0 {
			break // and the next call finds the same
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

// endsStream tells an error that concerns more than its line.
func endsStream(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || unreachable(err) || errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrAccess) || errors.Is(err, store.ErrBusy))
}

// lineIsThere tells whether a line can be read without waiting.
func (s *stream) lineIsThere() bool {
	buffered, _ := s.in.Peek(s.in.Buffered())
	return bytes.IndexByte(buffered, '\n') >= 0
}

// readLine reads the next line that is not empty.
func (s *stream) readLine() ([]byte, error) {
	var text []byte
	for {
		part, err := s.in.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > format.MaxSize:
			return nil, fmt.Errorf("line %d: %w: it has more than %d bytes", s.lines+1, format.ErrTooLarge, format.MaxSize)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		}
		if len(text) > 0 {
			s.lines++
		}
		if len(bytes.TrimSpace(text)) > 0 {
			return text, nil
		}
		if err != nil {
			return nil, err
		}
		text = text[:0]
	}
}

// read finds out whether a line's batch may be made.
func (s *stream) read(ctx context.Context, line *streamedLine, text []byte) error {
	document, err := format.ReadParams(bytes.NewReader(text))
	if err != nil {
		return err
	}
	m := &MintOptions{Params: document, Adopt: s.o.Adopt, Amount: s.o.Amount, Credentials: s.o.Credentials}
	if s.o.RequestID != "" {
		if m.request, err = named(fmt.Sprintf("%s:%d", s.o.RequestID, line.number), lineDigest(document, s.o.Amount)); err != nil {
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
	if line.planned, err = s.given(ctx, m); err != nil {
		return err
	}
	return s.complete(ctx, line.planned, m)
}

// repeat has a line make what was made for it before.
func (s *stream) repeat(ctx context.Context, line *streamedLine, before *store.Record) error {
	recipe, tickets, err := s.payer.Again(ctx, before)
	if err == nil {
		line.batch = &Batch{Tickets: tickets, Segment: recipe.Segment, key: s.key}
		s.reserved++
	}
	return err
}

// reserve takes the nonces of the lines that are ready. A line that is refused leaves the
// others alone.
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
			line.batch = &Batch{Tickets: tickets, Segment: line.planned.segment, key: s.key}
			s.reserved++
		}
	}
	return nil
}

// pin pins the addresses behind the URLs of the lines that are ready, in their order. A
// line whose URL has another address is refused.
func (s *stream) pin(ctx context.Context) error {
	var pins []store.Pin
	var lines []*streamedLine
	for _, line := range s.ready {
		if line.err == nil && line.batch == nil && line.planned.url != (pay.URL{}) {
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

// writeFailure keeps a line's place in the output.
func (s *stream) writeFailure(line *streamedLine) error {
	line.err = fmt.Errorf("line %d: %w", line.number, line.err)
	if s.failed++; s.firstFailure == nil {
		s.firstFailure = line.err
	}
	if err := s.o.Failed(line.err); err != nil {
		return err
	}
	return s.flush()
}

// flush hands what is written to the reader: each line once it is ready.
func (s *stream) flush() error {
	if out, ok := s.o.Out.(interface{ Flush() error }); ok {
		return out.Flush()
	}
	return nil
}
