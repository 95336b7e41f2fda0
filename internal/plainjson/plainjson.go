// Package plainjson writes JSON that is fit for a terminal. JSON escapes the control characters of ASCII
// alone: others, and characters that change the direction of text, act on the terminal that shows a
// document or a log, and can come from an orchestrator or a stranger.
package plainjson

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
)

// Writer escapes, in the JSON that is written to it, each character that is not graphic. The JSON says the
// same as before. Each write must end with a whole character.
type Writer struct{ io.Writer }

// Write fails as the writer does.
func (w Writer) Write(p []byte) (int, error) {
	if _, err := w.Writer.Write(escape(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func escape(text []byte) []byte {
	const lastGraphic = '~' // of ASCII; JSON has its line breaks outside of texts
	if !bytes.ContainsFunc(text, func(r rune) bool { return r > lastGraphic && !unicode.IsGraphic(r) }) {
		return text
	}
	var out bytes.Buffer
	for _, r := range string(text) {
		if r <= lastGraphic || unicode.IsGraphic(r) {
			out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.Bytes()
}
