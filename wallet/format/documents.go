package format

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/pm/wire"
)

// Documents reads one document after another, as lines or concatenated, in every form that Decode
// reads.
type Documents struct {
	in   *bufio.Reader
	read int // lines
	done bool

	// lines are the tickets of the document before, which may be unread.
	lines *TicketLines

	// Number is that of the document that Next has returned, from 1, and Line where it begins.
	Number, Line int
}

// NewDocuments returns the documents of r.
func NewDocuments(r io.Reader) *Documents {
	return &Documents{in: bufio.NewReaderSize(r, chunkSize)}
}

// Next returns the next document, and after the last one io.EOF. The tickets of a batch in NDJSON
// are left to be read from lines, so that their number is unlimited: the document's Batch then has
// none. lines is nil for any other document. It returns the errors of Decode; the next call returns
// the document after the one that is wrong, if it can be told where that begins.
func (d *Documents) Next() (document *Document, lines *TicketLines, err error) {
	more, err := d.More()
	switch {
	case err != nil:
		d.done = true
		return nil, nil, err
	case !more && d.Number == 0 && !d.done:
		d.done = true
		return nil, nil, fmt.Errorf("%w: it is empty; the command that writes it may have failed", ErrTruncated)
	case !more:
		return nil, nil, io.EOF
	}
	d.Number, d.Line = d.Number+1, d.read+1
	start, _ := d.in.Peek(1)
	switch {
	case start[0] == '{':
		return d.json()
	case isPaymentResult(start):
		d.done = true
		document, err = Decode(d.in)
		return document, nil, err
	}
	document, err = d.headers()
	return document, nil, err
}

// More reports whether there is another document. It returns the reader's error.
func (d *Documents) More() (bool, error) {
	if d.lines != nil {
		d.lines.skip()
		d.read += d.lines.ended
		d.lines = nil
	}
	for first := d.Number == 0 && d.read == 0; !d.done; first = false {
		next, err := d.in.Peek(1)
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("read the input: %w", err)
		case first && next[0] == input.ByteOrderMark[0] && d.skipMark():
			continue
		case !bytes.Contains([]byte(" \t\r\n"), next):
			return true, nil
		case next[0] == '\n':
			d.read++
		}
		_, _ = d.in.Discard(1)
	}
	return false, nil
}

// skipMark skips a byte order mark, and reports whether there was one.
func (d *Documents) skipMark() bool {
	next, _ := d.in.Peek(len(input.ByteOrderMark))
	if string(next) != input.ByteOrderMark {
		return false
	}
	_, _ = d.in.Discard(len(next))
	return true
}

// json reads a document in JSON.
func (d *Documents) json() (*Document, *TicketLines, error) {
	text, err := d.value()
	if err != nil {
		d.done = true
		return nil, nil, err
	}
	header, err := decodeLinesHeader(text)
	if err != nil {
		return nil, nil, err
	}
	if header == nil {
		document, err := Decode(bytes.NewReader(text))
		return document, nil, err
	}
	if rest, _ := d.in.Peek(2); bytes.HasPrefix(bytes.TrimPrefix(rest, []byte("\r")), []byte("\n")) {
		_, _ = d.line()
	}
	d.lines = &TicketLines{in: d.in, count: header.Header.Tickets, first: header.Header.FirstNonce}
	return header, d.lines, nil
}

// value reads the text of an object: up to its end, or to where it is cut off.
func (d *Documents) value() (text []byte, err error) {
	depth, quoted, escaped := 0, false, false
	for {
		c, err := d.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return text, nil
		case err != nil:
			return nil, fmt.Errorf("read the input: %w", err)
		case len(text) == MaxSize:
			return nil, fmt.Errorf("%w: the document has more than %d bytes", ErrTooLarge, MaxSize)
		}
		text = append(text, c)
		switch {
		case c == '\n':
			d.read++
			if atDocument(d.in) {
				return text[:len(text)-1], nil // this one is cut off
			}
			if quoted {
				return text, nil
			}
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return text, nil
			}
		}
	}
}

// atDocument reports whether a document of pmctl begins here.
func atDocument(in *bufio.Reader) bool {
	next, _ := in.Peek(len(`{.."kind"`) + len(indent))
	next, found := bytes.CutPrefix(next, []byte("{"))
	return found && bytes.HasPrefix(bytes.TrimLeft(next, " \r\n"), []byte(`"kind"`))
}

// headers reads the lines of a payment's headers, or a line with a value. Text that is neither ends
// the documents: it may be any file.
func (d *Documents) headers() (*Document, error) {
	seen := make(map[string]bool)
	var text []byte
	for len(seen) < 2 {
		line, err := d.line()
		if err != nil {
			d.done = true
			return nil, err
		}
		text = append(text, line...)
		name, _, named := strings.Cut(string(line), ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if !named {
			d.done = len(seen) > 0 || strings.Trim(name, base64Characters) != ""
			break
		}
		if !isHeader(name) {
			d.done = true
			break
		}
		seen[name] = true
		if more, err := d.More(); !more || err != nil || d.endsHeaders(seen) {
			break
		}
	}
	return Decode(bytes.NewReader(text))
}

func isHeader(name string) bool {
	return strings.EqualFold(name, wire.PaymentHeader) || strings.EqualFold(name, wire.SegmentHeader)
}

// endsHeaders reports whether the next line begins another document than that of the headers seen.
func (d *Documents) endsHeaders(seen map[string]bool) bool {
	next, _ := d.in.Peek(len(wire.PaymentHeader))
	return next[0] == '{' || seen[strings.ToLower(string(next))]
}

// base64Characters are those of a header's value in lower case.
const base64Characters = "abcdefghijklmnopqrstuvwxyz0123456789+/="

// line reads the next line.
func (d *Documents) line() (line []byte, err error) {
	for d.read++; ; {
		part, err := d.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > MaxSize:
			return nil, fmt.Errorf("%w: the line has more than %d bytes", ErrTooLarge, MaxSize)
		case err == nil, errors.Is(err, io.EOF):
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("read the input: %w", err)
		}
	}
}

// decodeLinesHeader reads the document of a batch whose tickets follow as lines. It returns nil for
// any other document.
func decodeLinesHeader(text []byte) (*Document, error) {
	var b batch
	if !json.Valid(text) {
		return nil, nil
	}
	head, err := identify(text, KindBatch)
	if err == nil {
		err = head.unmarshalData(text, &b)
	}
	if err != nil || b.Signatures != nil {
		return nil, nil // which Decode explains
	}
	payment, err := b.check()
	if err != nil {
		return nil, invalid(err)
	}
	tickets, err := payment.Batch()
	if err != nil {
		return nil, invalid(err)
	}
	return b.document(NDJSON, tickets)
}
