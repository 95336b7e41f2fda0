package format

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/pmctl/pmctl/pm"
)

// jsonWriter writes a batch as one document.
type jsonWriter struct {
	out *bufio.Writer
	sequence
	ticket []byte
	comma  bool
}

// closing is how the document of a batch ends, behind its last ticket.
const closing = "]\n" + indent + "}\n}\n"

// Begin writes the document up to the list of tickets.
func (w *jsonWriter) Begin(h *BatchHeader) error {
	if err := w.begin(h); err != nil {
		return err
	}
	var document bytes.Buffer
	if err := Write(&document, KindBatch, batch{BatchHeader: *h, Tickets: []Ticket{}}); err != nil {
		return err
	}
	opening, ok := bytes.CutSuffix(document.Bytes(), []byte(closing))
	if !ok {
		return fmt.Errorf("the document of a batch does not end in its tickets")
	}
	_, err := w.out.Write(opening)
	return err
}

// Ticket writes an element of the list.
func (w *jsonWriter) Ticket(t pm.TicketSenderParams) error {
	w.ticket = w.ticket[:0]
	if w.comma {
		w.ticket = append(w.ticket, ',')
	}
	w.comma = true
	w.ticket = append(w.ticket, "\n"+indent+indent+indent...)
	var err error
	if w.ticket, err = w.append(w.ticket, t); err != nil {
		return err
	}
	_, err = w.out.Write(w.ticket)
	return err
}

// End closes the document.
func (w *jsonWriter) End() error {
	if err := w.finish(); err != nil {
		return err
	}
	if w.comma {
		if _, err := w.out.WriteString("\n" + indent + indent); err != nil {
			return err
		}
	}
	if _, err := w.out.WriteString(closing); err != nil {
		return err
	}
	return w.out.Flush()
}

// linesWriter writes a batch as lines.
type linesWriter struct {
	out *bufio.Writer
	sequence
	line []byte
}

// Begin writes the header's line.
func (w *linesWriter) Begin(h *BatchHeader) error {
	if err := w.begin(h); err != nil {
		return err
	}
	return newEncoder(w.out).Encode(envelope{Kind: KindBatch, Version: Version, Data: h})
}

// Ticket writes a line.
func (w *linesWriter) Ticket(t pm.TicketSenderParams) error {
	var err error
	if w.line, err = w.append(w.line[:0], t); err != nil {
		return err
	}
	w.line = append(w.line, '\n')
	_, err = w.out.Write(w.line)
	return err
}

// End flushes the lines.
func (w *linesWriter) End() error {
	if err := w.finish(); err != nil {
		return err
	}
	return w.out.Flush()
}

// append appends the next ticket's object: what the JSON package makes of a Ticket,
// without its work.
func (s *sequence) append(b []byte, t pm.TicketSenderParams) ([]byte, error) {
	if err := s.take(t); err != nil {
		return b, err
	}
	b = append(b, `{"nonce":`...)
	b = strconv.AppendUint(b, uint64(t.SenderNonce), 10)
	b = append(b, `,"sig":"0x`...)
	b = hex.AppendEncode(b, t.Sig)
	return append(b, `"}`...), nil
}
