package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// The nonces of firstTogether batches are taken at once to begin with, so that tickets are
// signed soon, then of twice as many each time, up to reserveTogether. What is taken when
// the command is interrupted makes no tickets.
const (
	firstTogether   = 4
	reserveTogether = 128
)

// batchStream makes a batch of each line of params.
type batchStream struct {
	r      *run
	w      *payerWallet
	o      *batchOptions
	cmd    *cobra.Command
	amount pay.Amount
	payer  *pay.Payer
	signer pm.Signer
	in     *bufio.Reader
	out    io.Writer
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
	segment string
	batch   *readyBatch
	err     error
}

// streamBatches makes a batch of each line of params, and writes one line for each.
func (r *run) streamBatches(cmd *cobra.Command, o *batchOptions, amount pay.Amount) error {
	switch {
	case o.url != "":
		return usagef("--stream reads ticket params: it does not go together with --recipient-url")
	case r.outputByDefault:
		r.output = format.NDJSON
	case r.output != format.NDJSON && r.output != format.Payment:
		return usagef("--stream writes one line for each batch: --output must be ndjson or payment, not %s", r.output)
	}
	if _, err := o.request.request(cmd); err != nil {
		return err
	}
	out, err := r.openOutput(o.out)
	if err != nil {
		return err
	}
	defer out.close()
	w, err := r.openWallet(cmd, &o.payerOptions)
	if err != nil {
		return err
	}
	defer w.close()
	in, err := r.openDocument(cmd.Context(), o.params)
	if err != nil {
		return err
	}
	defer in.Close()
	s := &batchStream{r: r, w: w, o: o, cmd: cmd, amount: amount, together: firstTogether, in: bufio.NewReaderSize(in, 1<<18), out: out, payer: w.payer()}
	s.payer.Chain = &recentFacts{chain: s.payer.Chain, now: r.Now}
	w.known = &recentlyKnown{Known: w.pins().Known, now: r.Now}
	if err := s.payer.CheckSender(cmd.Context()); err != nil {
		return err
	}
	if s.signer, err = w.unlock(cmd.Context()); err != nil {
		return err
	}
	form := r.output
	if form == format.NDJSON {
		form = format.JSONLine
	}
	if s.writer, err = format.NewBatchWriter(out, form); err != nil {
		return err
	}
	prepareFor(several) // at least: the lines have not been counted
	done := r.progress(s.made)
	err = s.mint(cmd.Context())
	done()
	if err == nil {
		err = out.commit()
	}
	return s.result(err)
}

// result says what was made, and what was not.
func (s *batchStream) result(err error) error {
	made := s.made()
	if lost := int64(s.reserved) - s.written.Load(); err != nil && s.o.request.id == "" && lost > 0 {
		return fmt.Errorf("%s, and used up the nonces of %s more: %w", made, batches(lost), err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", made, err)
	}
	s.r.note("%s", made)
	if s.failed > 0 {
		err := fmt.Errorf("%d of %d lines made no batch; the first, %w", s.failed, s.lines, s.firstFailure)
		if errors.Is(err, format.ErrTruncated) {
			err = withHint(err, "each line must be a whole document: jq -c . FILE | pmctl ticket batch --stream")
		}
		return err
	}
	return nil
}

// made is what is written so far.
func (s *batchStream) made() string {
	return fmt.Sprintf("made %s in %s", plural(fmt.Sprint(s.tickets.Load()), "ticket"), batches(s.written.Load()))
}

func batches(n int64) string {
	if n == 1 {
		return "1 batch"
	}
	return fmt.Sprintf("%d batches", n)
}

// mint writes the batches of all lines.
func (s *batchStream) mint(ctx context.Context) error {
	told, ok := s.signer.(pay.TicketSigner)
	if !ok {
		return pm.MintOrders(ctx, s.signer, func(ctx context.Context) (*pm.Order, error) {
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
		if err := s.mintThrough(ctx, told, line); err != nil {
			return err
		}
	}
}

// mintThrough writes a line's batch with the signatures of one who is told what they are
// for.
func (s *batchStream) mintThrough(ctx context.Context, told pay.TicketSigner, line *streamedLine) error {
	order, err := s.order(line)
	if err != nil {
		return err
	}
	if err := order.Begin(); err != nil || line.err != nil {
		return err
	}
	if err := told.SignTickets(ctx, line.batch.tickets, order.Emit); err != nil {
		return err
	}
	return order.End()
}

// next returns the next line whose batch can be minted, or that has failed. The pipeline
// calls it ahead of what is written.
func (s *batchStream) next(ctx context.Context) (*streamedLine, error) {
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
func (s *batchStream) order(line *streamedLine) (*pm.Order, error) {
	if line.err != nil {
		return &pm.Order{Begin: func() error { return s.writeFailure(line) }}, nil
	}
	t := line.batch.tickets
	header, err := format.NewBatchHeader(t.Sender, t.Params, t.Expiration, t.Nonces)
	if err != nil {
		return nil, err
	}
	header.Segment = line.batch.segment
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
func (s *batchStream) readGroup(ctx context.Context) error {
	// A read ends with the pipeline, not only with the input.
	if in, ok := s.r.In.(io.Closer); ok && s.o.params == "-" {
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
		if line.err = s.plan(ctx, line, text); endsStream(ctx, line.err) {
			return line.err
		}
		s.ready = append(s.ready, line)
	}
	s.together = min(2*s.together, reserveTogether)
	return s.reserve(ctx)
}

// endsStream tells an error that concerns more than its line.
func endsStream(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || classify(err).exit == exitUnreachable || errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrAccess) || errors.Is(err, store.ErrBusy))
}

// lineIsThere tells whether a line can be read without waiting.
func (s *batchStream) lineIsThere() bool {
	buffered, _ := s.in.Peek(s.in.Buffered())
	return bytes.IndexByte(buffered, '\n') >= 0
}

// readLine reads the next line that is not empty.
func (s *batchStream) readLine() ([]byte, error) {
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

// plan finds out whether a line's batch may be made.
func (s *batchStream) plan(ctx context.Context, line *streamedLine, text []byte) error {
	document, err := format.ReadParams(bytes.NewReader(text))
	if err != nil {
		return err
	}
	request, err := s.request(line.number, document)
	if err != nil {
		return err
	}
	if request != nil {
		records, err := s.w.store.Chain(s.w.network.ChainID).Requested(ctx, s.w.account.Address(), *request)
		if err != nil {
			return err
		}
		if before := records.First(); before != nil {
			return s.repeat(ctx, line, before)
		}
	}
	planned, err := s.r.proposeGiven(ctx, s.w, document, s.o.adopt, func(params *pm.TicketParams) (*pay.Plan, error) {
		return s.payer.Propose(ctx, params, s.amount)
	})
	if err != nil {
		return err
	}
	planned.signer = s.signer
	if line.segment, err = s.r.segment(planned, request); err != nil {
		return err
	}
	line.planned = planned
	return planned.ask(request, line.segment, s.amount)
}

// request is a line's own request: the stream's id and the number of the line.
func (s *batchStream) request(number int, document *format.Params) (*store.Request, error) {
	if s.o.request.id == "" {
		return nil, nil
	}
	of := requestOption{id: fmt.Sprintf("%s:%d", s.o.request.id, number)}
	source := "recipient " + common.Address(document.Offer.Recipient).Hex()
	return of.request(s.cmd, "stream", source, fmt.Sprint(s.amount.Count), s.amount.Value.Decimal())
}

// repeat has a line make what was made for it before.
func (s *batchStream) repeat(ctx context.Context, line *streamedLine, before *store.Record) error {
	recipe, tickets, err := s.payer.Again(ctx, before)
	if err == nil {
		line.batch = &readyBatch{tickets, recipe.Segment, s.signer}
		s.reserved++
	}
	return err
}

// reserve takes the nonces of the lines that are ready. A line that is refused leaves the
// others alone.
func (s *batchStream) reserve(ctx context.Context) error {
	if err := s.pin(ctx); err != nil {
		return err
	}
	var plans []*pay.Plan
	var lines []*streamedLine
	for _, line := range s.ready {
		if line.err == nil && line.batch == nil {
			plans, lines = append(plans, line.planned.plan), append(lines, line)
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
			line.batch = &readyBatch{tickets, line.segment, s.signer}
			s.reserved++
		}
	}
	return nil
}

// pin pins the addresses behind the URLs of the lines that are ready, in their order. A
// line whose URL has another address is refused.
func (s *batchStream) pin(ctx context.Context) error {
	var pins []store.Pin
	var lines []*streamedLine
	for _, line := range s.ready {
		if line.err == nil && line.batch == nil && line.planned.url != (pay.URL{}) {
			pins = append(pins, store.Pin{URL: line.planned.url.String(), Recipient: line.planned.plan.Params.Recipient})
			lines = append(lines, line)
		}
	}
	if len(pins) == 0 {
		return nil
	}
	errs, err := s.w.pins().KeepAll(ctx, pins)
	for i, line := range lines[:len(errs)] {
		line.err = errs[i]
	}
	return err
}

// writeFailure keeps a line's place in the output: by the document of its error, or by an
// empty line among payments.
func (s *batchStream) writeFailure(line *streamedLine) error {
	line.err = fmt.Errorf("line %d: %w", line.number, line.err)
	if s.failed++; s.firstFailure == nil {
		s.firstFailure = line.err
	}
	if s.r.output == format.Payment {
		if _, err := io.WriteString(s.out, "\n"); err != nil {
			return err
		}
		s.r.note("%v", line.err)
		return s.flush()
	}
	out := classify(line.err)
	failure := format.Error{Code: out.code, ExitCode: out.exit, Message: line.err.Error(), Hint: out.hint}
	if err := format.WriteError(s.out, failure); err != nil {
		return err
	}
	return s.flush()
}

// flush hands what is written to whoever reads: each line once it is ready.
func (s *batchStream) flush() error {
	if out, ok := s.out.(interface{ Flush() error }); ok {
		return out.Flush()
	}
	return nil
}
