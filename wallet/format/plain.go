package format

import (
	"strconv"

	"github.com/pmctl/pmctl/internal/words"
)

// PlainText returns a received text as it is if it is harmless, and quoted otherwise.
func PlainText(text string) string {
	text = words.Cut(text, 200)
	quoted := strconv.QuoteToGraphic(text)
	if quoted == `"`+text+`"` {
		return text
	}
	return quoted
}
