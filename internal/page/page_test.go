package page

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTableKeepsALineAnItem(t *testing.T) {
	header := []Column{Text("address"), Number("price"), Text("url")}
	var rows [][]string
	for i := range 3 {
		rows = append(rows, []string{"0x" + strings.Repeat("ab", 20), fmt.Sprint(i * 90), "https://recipient.example:8935"})
	}
	for _, wide := range []int{0, 82, 140} { // a pipe has no edge
		var out strings.Builder
		(&Page{Writer: &out, Width: cmp.Or(wide, DefaultWidth), Bounded: wide > 0}).Table(header, rows)
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		require.Len(t, lines, 4, out.String())
		require.Equal(t, "ADDRESS                                     PRICE  URL", lines[0])
		require.Equal(t, rows[1][0]+"     90  "+rows[1][2], lines[2])
	}
	var coloured strings.Builder
	(&Page{Writer: &coloured, Width: 140, Bounded: true, Colours: true}).Table(header, rows)
	for i, line := range strings.Split(strings.TrimSuffix(coloured.String(), "\n"), "\n") {
		require.Regexp(t, `\S(\x1b\[0m)?$`, line, "no padding at the end of line %d: %q", i, line)
	}

	var narrow strings.Builder
	(&Page{Writer: &narrow, Width: 80, Bounded: true}).Table(header, rows)
	require.Equal(t, 3*3+2, strings.Count(narrow.String(), "\n"), "a list of fields each: %s", narrow.String())
	require.True(t, strings.HasPrefix(narrow.String(), "address  "+rows[0][0]+"\nprice    0\nurl      https"), narrow.String())

	rows[0][1] = ""
	narrow.Reset()
	(&Page{Writer: &narrow, Width: 80, Bounded: true}).Table(header, rows)
	require.True(t, strings.HasPrefix(narrow.String(), "address  "+rows[0][0]+"\nurl      https"), "no field without a value: %s", narrow.String())

	header[1] = Number("EV per day")
	narrow.Reset()
	(&Page{Writer: &narrow, Width: 80, Bounded: true}).Table(header, rows[1:2])
	require.Contains(t, narrow.String(), "\nEV per day  90\n", "a field has its name as it is written elsewhere")
}

func TestTableWrapsProse(t *testing.T) {
	var out strings.Builder
	rows := [][]string{{"face_value", "the face value of 0.5 ETH exceeds what your settings allow by 1 wei"}}
	(&Page{Writer: &out, Width: 42, Bounded: true}).Table([]Column{Text("check"), Prose("found")}, rows)
	require.Equal(t, `CHECK       FOUND
face_value  the face value of 0.5 ETH
            exceeds what your settings
            allow by 1 wei
`, out.String())
}

func TestWrapKeepsNumbersWithTheirUnits(t *testing.T) {
	for width := range 60 {
		lines := Wrap("paid ~3000.5 gwei of 0.1 ETH in 12 tickets, 90 % of +7 wei (3 rounds left); 0x12 0xab 5, then 4 5 6", width)
		for line := range strings.SplitSeq(lines, "\n") {
			last := line[strings.LastIndexByte(line, ' ')+1:]
			require.NotContains(t, []string{"~3000.5", "0.1", "12", "90", "+7", "(3"}, last, "%d: %s", width, lines)
		}
	}
	require.Equal(t, "1\n2\n3", Wrap("1 2 3", 1))
}

// TestWrapLinesKeepsColumns: a name's gap is as wide as in the lines around it.
func TestWrapLinesKeepsColumns(t *testing.T) {
	hash := "0x" + strings.Repeat("f", 64)
	require.Equal(t, "gas       1 ETH\nsent      "+hash+",\n          waiting until it is mined",
		WrapLines("gas       1 ETH\nsent      "+hash+", waiting until it is mined", 80))
	require.Equal(t, "a b\nc", WrapLines("a b c", 4))
	require.Equal(t, "it said that\nno such\nthing", WrapLines("it said that no  such thing", 12), "no name")
}

// TestPageEndsWithTheFirstError of its writer, and writes nothing after it.
func TestPageEndsWithTheFirstError(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "page"))
	require.NoError(t, err)
	p := &Page{Writer: file, Width: DefaultWidth}
	p.Print("one\n")
	require.NoError(t, p.Err())
	require.NoError(t, file.Close())
	p.Fields([]Field{{"two", "2"}})
	require.ErrorIs(t, p.Err(), os.ErrClosed)
	var other strings.Builder
	p.Writer = &other
	p.Table([]Column{Text("three")}, [][]string{{"3"}})
	require.ErrorIs(t, p.Err(), os.ErrClosed)
	require.Empty(t, other.String())
}

// TestFieldsHaveValues: a field without a value has no line, and no part in how the others are aligned.
func TestFieldsHaveValues(t *testing.T) {
	var out strings.Builder
	(&Page{Writer: &out, Width: 40}).Fields([]Field{{"url", "a"}, {"refused with", ""}, {"", "and more"}, {"to", "b"}})
	require.Equal(t, "url  a\n     and more\nto   b\n", out.String())
}
