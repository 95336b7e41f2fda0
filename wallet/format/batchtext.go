package format

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/pmctl/pmctl/pm"
)

// jsonWriter writes each batch as one document, or as a document and lines behind it.
type jsonWriter struct {
	out chunkWriter
	sequence
	layout layout
	any    bool // a ticket is written
}

// layout is what stands around the tickets of a batch.
type layout struct {
	// indented tells that the document is written for people too.
	indented bool

	// between stands between two tickets; beforeTicket and behindTicket around each.
	between, beforeTicket, behindTicket string

	// afterTickets stands behind the last one, where there is any.
	afterTickets string

	// closing is how a document ends behind its list of tickets; "" where it has none.
	closing string
}

// indentedLayout is what Write makes.
func indentedLayout() layout {
	return layout{
		indented: true, between: ",", beforeTicket: "\n" + indent + indent + indent,
		afterTickets: "\n" + indent + indent, closing: "]\n" + indent + "}\n}\n",
	}
}

// lineLayout is a document on a line of its own.
func lineLayout() layout { return layout{between: ",", closing: "]}}\n"} }

// linesLayout is a line with the header's document, and a line for each ticket.
func linesLayout() layout { return layout{behindTicket: "\n"} }

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
	data := batch{BatchHeader: *h}
	if w.layout.closing != "" {
		data.Tickets = []Ticket{}
	}
	if err := encoder.Encode(envelope{Kind: KindBatch, Version: Version, Data: data}); err != nil {
		return err
	}
	opening, ok := bytes.CutSuffix(document.Bytes(), []byte(w.layout.closing))
	if !ok {
		return errors.New("the document of a batch does not end in its tickets")
	}
	w.any = false
	w.out.pending = append(w.out.pending, opening...)
	return w.out.full()
}

// Ticket writes an element of the list, or a line.
func (w *jsonWriter) Ticket(t pm.TicketSenderParams) error {
	if err := w.take(t); err != nil {
		return err
	}
	b := w.out.pending
	if w.any {
		b = append(b, w.layout.between...)
	}
	w.any = true
	b = append(b, w.layout.beforeTicket...)
	w.out.pending = append(appendTicket(b, t), w.layout.behindTicket...)
	return w.out.full()
}

// End closes the document.
func (w *jsonWriter) End() error {
	if err := w.finish(); err != nil {
		return err
	}
	if w.any {
		w.out.pending = append(w.out.pending, w.layout.afterTickets...)
	}
	w.out.pending = append(w.out.pending, w.layout.closing...)
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
