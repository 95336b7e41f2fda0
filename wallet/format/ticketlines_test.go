package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/pm"
)

// readLines reads a batch as Decode does, chunk by chunk.
func readLines(r io.Reader, most int) (*Document, error) {
	all := NewDocuments(r)
	d, lines, err := all.Next()
	if err != nil {
		return nil, err
	}
	if err := readTickets(d, lines, most); err != nil {
		return nil, err
	}
	if _, _, err := all.Next(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: there is more: %v", ErrSyntax, err)
	}
	return d, nil
}

func readTickets(d *Document, lines *TicketLines, most int) error {
	if lines == nil {
		return nil
	}
	var c TicketChunk
	for {
		err := lines.Next(&c, most)
		if errors.Is(err, io.EOF) {
			return nil
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

// Whatever is read line by line is what Decode reads, and is refused where Decode
// refuses.
func TestLinesAreReadAsDecodeReads(t *testing.T) {
	all := documents(t)
	another := regexp.MustCompile(`\n\{\s*"kind"`) // a document that begins on a later line
	var forms []string
	for form := range all {
		forms = append(forms, form)
	}
	rapid.Check(t, func(t *rapid.T) {
		input := all[rapid.OneOf(rapid.Just(NDJSON), rapid.SampledFrom(forms)).Draw(t, "form")]
		switch rapid.IntRange(0, 3).Draw(t, "spoil") {
		case 1:
			input = input[:rapid.IntRange(0, len(input)).Draw(t, "cut")]
		case 2:
			input = bytes.Clone(input)
			input[rapid.IntRange(0, len(input)-1).Draw(t, "byte")] = rapid.SampledFrom([]byte("0 \n{}\"9a")).Draw(t, "by")
		case 3:
			input = append(bytes.Clone(input), rapid.SampledFrom([]string{"\n", " \n\n", "{}", "{\"nonce\":1}\n"}).Draw(t, "more")...)
		}
		want, wantErr := Decode(bytes.NewReader(input))
		got, err := readLines(iotest.HalfReader(bytes.NewReader(input)), rapid.IntRange(1, 5).Draw(t, "most"))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, and Decode says %v", err, wantErr)
		}
		require.Equal(t, want, got)
		if another.Match(input) {
			return // which cuts off the one before, and is wrong within a single document
		}
		for _, kind := range []error{ErrTruncated, ErrSyntax, ErrTooLarge} {
			if errors.Is(err, kind) != errors.Is(wantErr, kind) {
				t.Fatalf("%v, and Decode says %v", err, wantErr)
			}
		}
	})
}

// A line that has its end is complete, and what is wrong with it is no truncation.
func TestALineThatIsNoDocumentAndHasItsEnd(t *testing.T) {
	whole := string(documents(t)[NDJSON])
	header, _, _ := strings.Cut(whole, "\n")
	for _, spoiled := range []string{
		strings.TrimSuffix(whole, "\"}\n") + "\n",
		strings.TrimSuffix(whole, "\"}\n") + " \n\n",
		strings.Replace(whole, "\n", "\n\n", 1),
		header + "\n\n",
	} {
		_, want := Decode(strings.NewReader(spoiled))
		_, err := readLines(strings.NewReader(spoiled), 64)
		require.Error(t, want)
		require.Equal(t, errors.Is(want, ErrSyntax), errors.Is(err, ErrSyntax), "%v, and Decode says %v", err, want)
	}
}

func TestLinesThatEndTooEarlyOrTooLate(t *testing.T) {
	whole := string(documents(t)[NDJSON])
	header, tickets, _ := strings.Cut(whole, "\n")
	_, err := readLines(strings.NewReader(header+"\n"), 64)
	require.ErrorIs(t, err, ErrTruncated)
	require.ErrorContains(t, err, "0 of")
	_, err = readLines(strings.NewReader(whole+tickets), 64)
	require.ErrorIs(t, err, ErrSyntax)
	_, err = readLines(strings.NewReader(header+"\n"+strings.Repeat(" ", 1<<20)), 64)
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = readLines(io.MultiReader(strings.NewReader(header+"\n"), iotest.ErrReader(errStopped)), 64)
	require.ErrorIs(t, err, errStopped)
}
