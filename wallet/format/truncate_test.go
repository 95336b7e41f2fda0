package format

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// documents returns one of each form that Decode reads, by form.
func documents(t testing.TB) map[string][]byte {
	g := loadGolden(t)
	payment, segment := g.Payments[1], g.Segments[0].LivepeerSegment
	var params bytes.Buffer
	require.NoError(t, Write(&params, KindParams, payment.document(t)))
	all := map[string][]byte{ParamsForm: params.Bytes(), Segment: []byte(segment + "\n")}
	for _, format := range formats() {
		all[format] = payment.write(t, format, segment)
	}
	return all
}

func TestAPartIsNeverTakenForTheWhole(t *testing.T) {
	for form, whole := range documents(t) {
		t.Run(form, func(t *testing.T) {
			d, err := Decode(bytes.NewReader(whole))
			require.NoError(t, err)
			require.Equal(t, form, d.Form)

			content := bytes.TrimRight(whole, "\n")
			_, err = Decode(bytes.NewReader(content))
			require.NoError(t, err, "only the last line's end is missing")

			for n := range content {
				d, err := Decode(bytes.NewReader(content[:n]))
				firstLine := bytes.IndexByte(content, '\n')
				if form == Headers && (n == firstLine || n == firstLine+1) {
					// One header is a document of its own, and does not pass for both.
					require.NoError(t, err)
					require.Equal(t, Payment, d.Form)
					continue
				}
				require.Error(t, err, "%d of %d bytes", n, len(content))
				require.Nil(t, d)
				if content[0] == '{' {
					require.ErrorIs(t, err, ErrTruncated, "%d of %d bytes", n, len(content))
				}
			}
		})
	}
}

func TestEveryCutOfAPaymentsMessageIsSeen(t *testing.T) {
	g := loadGolden(t)
	for _, p := range g.Payments {
		for n := range p.Header {
			_, err := Decode(strings.NewReader("Livepeer-Payment: " + p.Header[:n]))
			require.Error(t, err, "%s, %d of %d characters", p.Name, n, len(p.Header))
		}
	}
	for _, s := range g.Segments {
		for n := range s.LivepeerSegment {
			_, err := Decode(strings.NewReader("Livepeer-Segment: " + s.LivepeerSegment[:n]))
			require.Error(t, err, "%s, %d of %d characters", s.Name, n, len(s.LivepeerSegment))
		}
	}
}

func TestLinesThatAreMissingRepeatedOrTooMany(t *testing.T) {
	whole := string(documents(t)[NDJSON])
	lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n")+"\n", "\n")
	header, tickets := lines[0], lines[1:4]
	require.Len(t, lines, 5)
	for name, c := range map[string]struct {
		input string
		want  error
	}{
		"the last is missing":   {header + tickets[0] + tickets[1], ErrTruncated},
		"the first is missing":  {header + tickets[1] + tickets[2], ErrTruncated},
		"all are missing":       {header, ErrTruncated},
		"the header is missing": {strings.Join(tickets, ""), ErrKind},
		"one twice":             {header + tickets[0] + tickets[1] + tickets[1], ErrSyntax},
		"one too many":          {header + strings.Join(tickets, "") + tickets[2], ErrSyntax},
		"in another order":      {header + tickets[1] + tickets[0] + tickets[2], ErrSyntax},
		"a blank between":       {header + tickets[0] + "\n" + tickets[1] + tickets[2], ErrSyntax},
		"two on a line":         {header + strings.TrimSpace(tickets[0]) + tickets[1] + tickets[2], ErrSyntax},
		"a second header":       {header + header + strings.Join(tickets, ""), ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(strings.NewReader(c.input))
			require.ErrorIs(t, err, c.want)
		})
	}
	d, err := Decode(strings.NewReader(strings.ReplaceAll(whole, "\n", "\r\n")))
	require.NoError(t, err)
	require.Len(t, d.Batch.SenderParams, 3)
}
