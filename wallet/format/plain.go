package format

import "strconv"

// PlainText returns a received text as it is if it is harmless, and quoted otherwise.
func PlainText(text string) string {
	const most = 200
	if len(text) > most {
		text = text[:most] + "…"
	}
	quoted := strconv.QuoteToGraphic(text)
	if quoted == `"`+text+`"` {
		return text
	}
	return quoted
}
