package format

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/pmctl/pmctl/pm"
)

// jsonWriter writes each batch as one document, or as a document followed by lines.
type jsonWriter struct {
	out chunkWriter
	sequence
	layout layout
	any    bool // a ticket was written
}

// layout is the text around the tickets of a batch.
type layout struct {
	// indented reports whether the document is indented, for people.
	indented bool
	// between separates two tickets; beforeTicket and afterTicket surround each.
	between, beforeTicket, afterTicket string
	// afterTickets follows the last ticket, if there is any.
	afterTickets string
	// closing ends a document after its list of tickets; "" if it has none.
	closing string
}

// indentedLayout is the layout of Write.
func indentedLayout() layout {
	return layout{
		indented: true, between: ",", beforeTicket: "\n" + indent + indent + indent,
		afterTickets: "\n" + indent + indent, closing: "]\n" + indent + "}\n}\n",
	}
}

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
		data.Signatures = []Ticket{}
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
	w.out.pending = append(appendTicket(b, t), w.layout.afterTicket...)
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

// The text around a ticket's nonce and signature: what encoding/json writes for a Ticket, faster.
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
