package cli

import "github.com/pmctl/pmctl/wallet/check"

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

// Verdict is text about how a check went, in its colour.
func (c Colours) Verdict(state check.State, text string) string {
	switch state {
	case check.OK:
		return c.Green(text)
	case check.Warning:
		return c.Yellow(text)
	case check.Failed:
		return c.Red(text)
	}
	return c.Dim(text)
}

// Values of --color.
const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

// coloured reports whether text on a stream is.
func coloured(r *Run, terminal bool) Colours {
	switch r.color {
	case colorAlways:
		return true
	case colorNever:
		return false
	}
	return Colours(terminal && r.Getenv("NO_COLOR") == "" && r.Getenv("TERM") != "dumb")
}
