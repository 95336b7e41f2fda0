package format

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// TicketLines reads the tickets of a batch in NDJSON.
type TicketLines struct {
	in          *bufio.Reader
	count, read uint32
	first       uint32
	ended       int // lines, of any content
}

// TicketChunk is a number of consecutive lines of a batch. It can be reused.
type TicketChunk struct {
	text  []byte
	ends  []int  // of the lines in text
	index int    // of the first line's ticket in the batch, from 0
	count uint32 // of the batch's tickets
	first uint32
}

// maxLine is the longest line of a ticket: many times its usual length.
const maxLine = 1 << 12

// Next reads the next lines, at most most, into c. It returns io.EOF after the last ticket,
// ErrTruncated if there are fewer tickets than the header says, ErrSyntax if there are more, and
// the reader's error.
func (l *TicketLines) Next(c *TicketChunk, most int) error {
	if l.read == l.count {
		return l.end()
	}
	c.text, c.ends, c.index, c.count, c.first = c.text[:0], c.ends[:0], int(l.read), l.count, l.first+l.read
	for len(c.ends) < most && l.read < l.count {
		if atDocument(l.in) {
			return l.truncated(c)
		}
		line, err := l.line()
		switch {
		case errors.Is(err, bufio.ErrBufferFull) || len(line) > maxLine:
			return fmt.Errorf("ticket %d: %w: the line has more than %d bytes", l.read+1, ErrTooLarge, maxLine)
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("read the input: %w", err)
		case len(line) == 0:
			return l.truncated(c)
		}
		c.text = append(c.text, line...)
		c.ends = append(c.ends, len(c.text))
		l.read++
	}
	return nil
}

// truncated is the end of lines that are too few. Those in c come first, since one may be wrong;
// blank ones at the end are none.
func (l *TicketLines) truncated(c *TicketChunk) error {
	lines := len(bytes.TrimRight(c.text, " \t\r\n"))
	for n := len(c.ends); n > 0; n-- {
		if n == 1 && lines > 0 || n > 1 && c.ends[n-2] < lines {
			c.ends = c.ends[:n]
			return nil
		}
		l.read--
	}
	return fmt.Errorf("%w: %d of %d tickets are there", ErrTruncated, l.read, l.count)
}

func (l *TicketLines) line() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	if err == nil {
		l.ended++
	}
	return line, err
}

// end checks that no other ticket follows the last one.
func (l *TicketLines) end() error {
	if l.atTicket() {
		return invalid(&wire.FieldError{Field: "signatures", Got: "one more line", Want: fmt.Sprintf("%d, as tickets says", l.count)})
	}
	return io.EOF
}

func (l *TicketLines) atTicket() bool {
	next, _ := l.in.Peek(len(ticketOpening))
	return string(next) == ticketOpening
}

// skip passes over tickets that were not read, or that are too many.
func (l *TicketLines) skip() {
	for l.atTicket() {
		for {
			if _, err := l.line(); !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
		}
	}
}

// ReadInto reads all tickets into the batch of a document. It returns the errors of Next and Each,
// and ErrTooLarge for more than MaxSize bytes.
func (l *TicketLines) ReadInto(d *Document) error {
	if l == nil {
		return nil
	}
	var c TicketChunk
	for size := 0; ; size += len(c.text) {
		err := l.Next(&c, chunkSize/maxLine)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && size > MaxSize {
			err = fmt.Errorf("%w: the batch has more than %d bytes", ErrTooLarge, MaxSize)
		}
		if err == nil {
			err = c.Each(func(t *Ticket) {
				d.Batch.SenderParams = append(d.Batch.SenderParams, &pm.TicketSenderParams{SenderNonce: t.Nonce, Sig: bytes.Clone(t.Sig[:])})
			})
		}
		if err != nil {
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
				return fmt.Errorf("ticket %d of %d: %w", c.index+i+1, c.count, err)
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
