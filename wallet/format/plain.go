package format

import "strconv"

// PlainText is a stranger's text as it is when it is harmless, and quoted when not.
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
