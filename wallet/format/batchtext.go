package format

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/pmctl/pmctl/pm"
)

// jsonWriter writes each batch as one document.
type jsonWriter struct {
	out chunkWriter
	sequence
	layout layout
	comma  bool
}

// layout is the space in a batch's document.
type layout struct {
	// indented tells that the document is written for people too.
	indented bool

	// beforeTicket stands before each ticket of the list, afterTickets behind the last.
	beforeTicket, afterTickets string

	// closing is how the document ends, behind its tickets.
	closing string
}

// indentedLayout is what Write makes.
func indentedLayout() layout {
	return layout{true, "\n" + indent + indent + indent, "\n" + indent + indent, "]\n" + indent + "}\n}\n"}
}

// lineLayout is a document on a line of its own.
func lineLayout() layout { return layout{closing: "]}}\n"} }

// Begin writes the document up to the list of tickets.
func (w *jsonWriter) Begin(h *BatchHeader) error {
	if err := w.begin(h); err != nil {
		return err
	}
	var document bytes.Buffer
	encoder := newEncoder(&document)
	if w.layout.indented {
		encoder.SetIndent("", indent)
	}
	data := batch{BatchHeader: *h, Tickets: []Ticket{}}
	if err := encoder.Encode(envelope{Kind: KindBatch, Version: Version, Data: data}); err != nil {
		return err
	}
	opening, ok := bytes.CutSuffix(document.Bytes(), []byte(w.layout.closing))
	if !ok {
		return errors.New("the document of a batch does not end in its tickets")
	}
	w.comma = false
	w.out.pending = append(w.out.pending, opening...)
	return w.out.full()
}

// Ticket writes an element of the list.
func (w *jsonWriter) Ticket(t pm.TicketSenderParams) error {
	if err := w.take(t); err != nil {
		return err
	}
	b := w.out.pending
	if w.comma {
		b = append(b, ',')
	}
	w.comma = true
	b = append(b, w.layout.beforeTicket...)
	w.out.pending = appendTicket(b, t)
	return w.out.full()
}

// End closes the document.
func (w *jsonWriter) End() error {
	if err := w.finish(); err != nil {
		return err
	}
	if w.comma {
		w.out.pending = append(w.out.pending, w.layout.afterTickets...)
	}
	w.out.pending = append(w.out.pending, w.layout.closing...)
	return w.out.flush()
}

// linesWriter writes each batch as lines.
type linesWriter struct {
	out chunkWriter
	sequence
}

// Begin writes the header's line.
func (w *linesWriter) Begin(h *BatchHeader) error {
	if err := w.begin(h); err != nil {
		return err
	}
	var line bytes.Buffer
	if err := newEncoder(&line).Encode(envelope{Kind: KindBatch, Version: Version, Data: h}); err != nil {
		return err
	}
	w.out.pending = append(w.out.pending, line.Bytes()...)
	return w.out.full()
}

// Ticket writes a line.
func (w *linesWriter) Ticket(t pm.TicketSenderParams) error {
	if err := w.take(t); err != nil {
		return err
	}
	w.out.pending = append(appendTicket(w.out.pending, t), '\n')
	return w.out.full()
}

// End flushes the lines.
func (w *linesWriter) End() error {
	if err := w.finish(); err != nil {
		return err
	}
	return w.out.flush()
}

// The object of a ticket, around its nonce and its signature: what the JSON package makes
// of a Ticket, without its work.
const (
	ticketOpening = `{"nonce":`
	ticketMiddle  = `,"sig":"0x`
	ticketClosing = `"}`
)

func appendTicket(b []byte, t pm.TicketSenderParams) []byte {
	b = append(b, ticketOpening...)
	b = strconv.AppendUint(b, uint64(t.SenderNonce), 10)
	b = append(b, ticketMiddle...)
	b = hex.AppendEncode(b, t.Sig)
	return append(b, ticketClosing...)
}
