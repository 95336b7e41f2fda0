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

// TicketLines reads the tickets of a batch in NDJSON.
type TicketLines struct {
	in          *bufio.Reader
	count, read uint32
	first       uint32
}

// TicketChunk is a number of consecutive lines of a batch. It can be reused.
type TicketChunk struct {
	text  []byte
	ends  []int // of the lines in text
	index int   // of the first line's ticket in the batch, from 0
	first uint32
}

// maxLine is the longest line of a ticket: many times its usual length.
const maxLine = 1 << 12

// DecodeStream is Decode, but leaves the tickets of a batch in NDJSON to be read from lines, so
// that their number is unlimited. The document's Batch then has no tickets; lines is nil for any
// other document. It returns the errors of Decode.
func DecodeStream(r io.Reader) (document *Document, lines *TicketLines, err error) {
	in := bufio.NewReaderSize(r, chunkSize)
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) || len(line) > MaxSize {
			break // the next read returns it again
		}
	}
	document = decodeFirstLine(line)
	if document == nil {
		document, err = Decode(io.MultiReader(bytes.NewReader(line), in))
		return document, nil, err
	}
	return document, &TicketLines{in: in, count: document.Header.Tickets, first: document.Header.FirstNonce}, nil
}

// decodeFirstLine reads the first line of a batch in NDJSON. It returns nil for any other line,
// which Decode explains.
func decodeFirstLine(line []byte) *Document {
	if !json.Valid(line) {
		return nil
	}
	var b batch
	head, err := identify(line, KindBatch)
	if err == nil {
		err = head.unmarshalData(line, &b)
	}
	if err != nil || b.Signatures != nil {
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

// Next reads the next lines, at most most, into c. It returns io.EOF after the last ticket,
// ErrTruncated if there are fewer tickets than the header says, ErrSyntax if there are more, and
// the reader's error.
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

// end checks that nothing but space follows the last ticket.
func (l *TicketLines) end() error {
	for {
		line, err := l.in.ReadSlice('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			return invalid(&wire.FieldError{Field: "signatures", Got: "one more line", Want: fmt.Sprintf("%d, as tickets says", l.count)})
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// Each passes the tickets of the lines to a function, in order. The Ticket may be reused. It
// returns ErrSyntax or ErrTruncated for a line that is not the batch's next ticket.
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
			return invalid(&wire.FieldError{Field: fmt.Sprintf("signatures[%d].nonce", c.index+i), Got: fmt.Sprint(t.Nonce), Want: fmt.Sprint(want)})
		}
		take(&t)
	}
	return nil
}

// parseTicket parses a line as BatchWriter writes it, and leaves any other spelling to
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
