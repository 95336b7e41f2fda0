package page

// Colours reports whether text has styles; without, each function returns it as it is.
type Colours bool

// style is text in a style, which ECMA-48 has a code for.
func (c Colours) style(code, text string) string {
	if !bool(c) || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Green is a good verdict.
func (c Colours) Green(text string) string { return c.style("32", text) }

// Yellow is a verdict that asks for attention.
func (c Colours) Yellow(text string) string { return c.style("33", text) }

// Red is a bad verdict.
func (c Colours) Red(text string) string { return c.style("31", text) }

// Dim is secondary.
func (c Colours) Dim(text string) string { return c.style("2", text) }

// Bold is new.
func (c Colours) Bold(text string) string { return c.style("1", text) }
