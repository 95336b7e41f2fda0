package page

// Styles of text, as terminals have them (ECMA-48).
const (
	styleBold   = "1"
	styleDim    = "2"
	styleRed    = "31"
	styleGreen  = "32"
	styleYellow = "33"
)

// Colours reports whether text has styles; without, each function returns it as it is.
type Colours bool

func (c Colours) style(code, text string) string {
	if !bool(c) || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Green is a good verdict.
func (c Colours) Green(text string) string { return c.style(styleGreen, text) }

// Yellow is a verdict that asks for attention.
func (c Colours) Yellow(text string) string { return c.style(styleYellow, text) }

// Red is a bad verdict.
func (c Colours) Red(text string) string { return c.style(styleRed, text) }

// Dim is secondary.
func (c Colours) Dim(text string) string { return c.style(styleDim, text) }

// Bold is new.
func (c Colours) Bold(text string) string { return c.style(styleBold, text) }
