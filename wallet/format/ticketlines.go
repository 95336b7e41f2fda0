package format

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/pmctl/pmctl/pm/wire"
)

// TicketLines are the tickets of a batch in NDJSON, still to be read.
type TicketLines struct {
	in          *bufio.Reader
	count, read uint32
	first       uint32
}

// TicketChunk is neighbouring lines of a batch, as they were read. It can be used again.
type TicketChunk struct {
	text  []byte
	ends  []int // of the lines in text
	index int   // of the first line's ticket in the batch, from 0
	first uint32
}

// maxLine is how long a ticket's line may be: many times what it is.
const maxLine = 1 << 12

// DecodeStream reads what Decode does, but leaves the tickets of a batch in NDJSON to be
// read from lines, so that there may be any number of them. The document's Batch has no
// tickets then; lines is nil for any other document. It fails as Decode does.
func DecodeStream(r io.Reader) (document *Document, lines *TicketLines, err error) {
	in := bufio.NewReaderSize(r, chunkSize)
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) || len(line) > MaxSize {
			break // what else it is, the next read says again
		}
	}
	document = decodeFirstLine(line)
	if document == nil {
		document, err = Decode(io.MultiReader(bytes.NewReader(line), in))
		return document, nil, err
	}
	return document, &TicketLines{in: in, count: document.Header.Count, first: document.Header.FirstNonce}, nil
}

// decodeFirstLine reads the first line of a batch in NDJSON; nil is any other line, which
// Decode knows what to say about.
func decodeFirstLine(line []byte) *Document {
	if !json.Valid(line) {
		return nil
	}
	var b batch
	_, err := identify(line, KindBatch)
	if err == nil {
		err = unmarshalData(line, &b)
	}
	if err != nil || b.Tickets != nil {
		return nil
	}
	payment, err := b.check()
	if err != nil {
		return nil
	}
	tickets, err := payment.Batch()
	if err != nil {
		return nil
	}
	document, err := b.document(NDJSON, tickets)
	if err != nil {
		return nil
	}
	return document
}

// Next reads the next lines, at most most of them, into c. It fails with io.EOF behind
// the last ticket, with ErrTruncated when there are fewer than the batch's header says,
// with ErrSyntax when there are more, and with the reader's error.
func (l *TicketLines) Next(c *TicketChunk, most int) error {
	if l.read == l.count {
		return l.end()
	}
	c.text, c.ends, c.index, c.first = c.text[:0], c.ends[:0], int(l.read), l.first+l.read
	for len(c.ends) < most && l.read < l.count {
		line, err := l.in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull) || len(line) > maxLine:
			return fmt.Errorf("ticket %d: %w: the line has more than %d bytes", l.read+1, ErrTooLarge, maxLine)
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("read the input: %w", err)
		case len(line) == 0:
			return fmt.Errorf("%w: %d of %d tickets are there", ErrTruncated, l.read, l.count)
		}
		c.text = append(c.text, line...)
		c.ends = append(c.ends, len(c.text))
		l.read++
	}
	return nil
}

// end sees to it that nothing but space follows the last ticket.
func (l *TicketLines) end() error {
	for {
		line, err := l.in.ReadSlice('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			return invalid(&wire.FieldError{Field: "tickets", Got: "one more line", Want: fmt.Sprintf("%d, as count says", l.count)})
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// Each hands over the tickets of the lines, in order. The Ticket may be reused. It fails
// with ErrSyntax or ErrTruncated for a line that is not the batch's next ticket.
func (c *TicketChunk) Each(take func(*Ticket)) error {
	var t Ticket
	begin := 0
	for i, end := range c.ends {
		line := c.text[begin:end]
		begin = end
		if !parseTicket(line, &t) {
			t = Ticket{}
			if err := unmarshalLine(line, &t); err != nil {
				return fmt.Errorf("ticket %d: %w", c.index+i+1, err)
			}
		}
		if want := c.first + uint32(i); t.Nonce != want {
			return invalid(&wire.FieldError{Field: fmt.Sprintf("tickets[%d].nonce", c.index+i), Got: fmt.Sprint(t.Nonce), Want: fmt.Sprint(want)})
		}
		take(&t)
	}
	return nil
}

// parseTicket reads a line as BatchWriter writes it; any other spelling is left to
// unmarshalLine.
func parseTicket(line []byte, t *Ticket) bool {
	line, ok := bytes.CutPrefix(line, []byte(ticketOpening))
	digits, rest, found := bytes.Cut(line, []byte(ticketMiddle))
	if !ok || !found || len(digits) == 0 || digits[0] < '1' || digits[0] > '9' {
		return false
	}
	nonce, err := strconv.ParseUint(string(digits), 10, 32)
	size := hex.EncodedLen(len(t.Sig))
	if err != nil || len(rest) < size {
		return false
	}
	if end := string(rest[size:]); end != ticketClosing+"\n" {
		return false
	}
	t.Nonce = uint32(nonce)
	_, err = hex.Decode(t.Sig[:], rest[:size])
	return err == nil
}
