// Package plot draws amounts over time, as SVG.
package plot

import (
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"text/template"
	"time"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Plot is a picture of amounts over time, one below the other: a reserve may be a thousand
// times a deposit, so that each has a scale of its own.
type Plot struct {
	Title, Subtitle string

	// Now is when what is known ends, and what is foreseen begins.
	From, Now, To time.Time
	Panels        []Panel
}

// Panel is one amount. Color is deposit, reserve or spent.
type Panel struct {
	Name, Color string
	Points      []history.Balance
	Forecast    *wallet.Forecast
}

// The picture's size, and where the panels are in it.
const (
	width       = 800
	left, right = 130, 770
	top, part   = 100, 120 // the first panel's top, and each one's height
	gap         = 50       // between panels
	below       = 40       // below the last panel
)

// drawnPlot and drawnPanel are what drawing takes.
type drawnPlot struct {
	Width, Height, Left, Right, Top, Bottom int
	Title, Subtitle                         string
	Now                                     float64 // 0 where nothing is foreseen
	Panels                                  []drawnPanel
	Columns                                 []tick
}

type drawnPanel struct {
	Name, Color, Points, Band, Median string
	Top, End                          int
	Rows                              []tick
}

type tick struct {
	At   float64
	Text string
}

// charWidth is at least how wide a character of a date or a number is.
const charWidth = 7

// Center is the middle of a text below the picture, all of which is within it.
func (t tick) Center() float64 {
	return math.Min(t.At, width-float64(charWidth*len(t.Text))/2)
}

// opening begins a picture. A viewer that prefers dark colours gets them.
const opening = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" height="{{.Height}}" font-family="sans-serif" font-size="12" role="img">
<title>{{html .Title}}</title>
<style>
.back{fill:#ffffff}text{fill:#1f2328}.dim{fill:#59636e}.grid{stroke:#d8dee4}.now{stroke:#59636e;stroke-dasharray:3 3}
.line{fill:none;stroke-width:2}.band{opacity:.2}.median{fill:none;stroke-width:2;stroke-dasharray:6 4}
.deposit{stroke:#0969da}.reserve{stroke:#1a7f37}.spent{stroke:#bc4c00}.band.deposit{fill:#0969da;stroke:none}
.bar{stroke:none}.bar.deposit{fill:#0969da}.bar.spent{fill:#bc4c00}
text.deposit{fill:#0969da;stroke:none}text.reserve{fill:#1a7f37;stroke:none}text.spent{fill:#bc4c00;stroke:none}
@media (prefers-color-scheme:dark){.back{fill:#0d1117}text{fill:#e6edf3}.dim{fill:#9198a1}.grid{stroke:#2f353d}.now{stroke:#9198a1}
.band{opacity:.3}.deposit{stroke:#58a6ff}.reserve{stroke:#3fb950}.spent{stroke:#f0883e}.band.deposit{fill:#58a6ff}
.bar.deposit{fill:#58a6ff}.bar.spent{fill:#f0883e}text.deposit{fill:#58a6ff}text.reserve{fill:#3fb950}text.spent{fill:#f0883e}}
</style>
<rect class="back" width="100%" height="100%"/>
<text x="20" y="30" font-size="16" font-weight="bold">{{html .Title}}</text>
<text class="dim" x="20" y="50">{{html .Subtitle}}</text>
`

const drawing = opening + `<clipPath id="inside"><rect x="{{.Left}}" y="0" width="{{.Across}}" height="{{.Height}}"/></clipPath>
{{- range .Columns}}
<line class="grid" x1="{{.At}}" x2="{{.At}}" y1="{{$.Top}}" y2="{{$.Bottom}}"/><text class="dim" x="{{.Center}}" y="{{$.Bottom}}" dy="20" text-anchor="middle">{{.Text}}</text>
{{- end}}
{{- range .Panels}}
<text class="{{.Color}}" x="{{$.Left}}" y="{{.Top}}" dy="-10" font-weight="bold">{{html .Name}}</text>
{{- range .Rows}}
<line class="grid" x1="{{$.Left}}" x2="{{$.Right}}" y1="{{.At}}" y2="{{.At}}"/><text class="dim" x="{{$.Left}}" dx="-8" y="{{.At}}" dy="4" text-anchor="end">{{.Text}}</text>
{{- end}}
{{- if .Band}}
<g clip-path="url(#inside)"><polygon class="band {{.Color}}" points="{{.Band}}"/><polyline class="median {{.Color}}" points="{{.Median}}"/></g>
{{- end}}
<polyline class="line {{.Color}}" points="{{.Points}}"/>
{{- if $.Now}}
<line class="now" x1="{{$.Now}}" x2="{{$.Now}}" y1="{{.Top}}" y2="{{.End}}"/>
{{- end}}
{{- end}}
{{- if .Now}}
<text class="dim" x="{{.Now}}" y="{{.Top}}" dy="-26" text-anchor="middle">now</text>
{{- end}}
</svg>
`

// Across is how wide the panels are.
func (d drawnPlot) Across() int { return d.Right - d.Left }

// Write draws the picture as SVG.
func (p *Plot) Write(w io.Writer) error {
	bottom := top + len(p.Panels)*(part+gap) - gap
	d := drawnPlot{
		Width: width, Height: bottom + below, Left: left, Right: right, Top: top, Bottom: bottom,
		Title: p.Title, Subtitle: p.Subtitle, Columns: p.columns(),
	}
	if p.To.After(p.Now) {
		d.Now = p.x(p.Now)
	}
	for i, panel := range p.Panels {
		d.Panels = append(d.Panels, p.draw(panel, top+i*(part+gap)))
	}
	return template.Must(template.New("plot").Parse(drawing)).Execute(w, d)
}

// x is where a time is in the picture.
func (p *Plot) x(at time.Time) float64 {
	x := left + (right-left)*float64(at.Sub(p.From))/math.Max(1, float64(p.To.Sub(p.From)))
	return math.Round(x*10) / 10
}

// draw draws an amount up to now, as stairs since it holds until the next one, the scale
// behind it, and what is foreseen.
func (p *Plot) draw(panel Panel, top int) drawnPanel {
	d := drawnPanel{Name: panel.Name, Color: panel.Color, Top: top, End: top + part}
	highest := 1.0
	amounts := make([]float64, len(panel.Points))
	for i, point := range panel.Points {
		amounts[i], _ = num.OrZero(point.Wei).Float64()
		highest = math.Max(highest, amounts[i])
	}
	step := math.Max(1, niceStep(highest))
	highest = math.Ceil(highest/step) * step
	y := func(amount float64) float64 { return float64(top) + part*(1-amount/highest) }
	var line strings.Builder
	var last float64
	if len(amounts) > 0 {
		last = amounts[0]
	}
	for i, point := range panel.Points {
		fmt.Fprintf(&line, "%.1f,%.1f %.1f,%.1f ", p.x(point.Time), y(last), p.x(point.Time), y(amounts[i]))
		last = amounts[i]
	}
	fmt.Fprintf(&line, "%.1f,%.1f", p.x(p.Now), y(last))
	d.Points = line.String()
	if f := panel.Forecast; f != nil {
		begin := fmt.Sprintf("%.1f,%.1f", p.x(p.Now), y(last))
		d.Band = fmt.Sprintf("%s %.1f,%.1f %.1f,%.1f", begin, p.x(f.Low), y(0), p.x(f.High), y(0))
		d.Median = fmt.Sprintf("%s %.1f,%.1f", begin, p.x(f.Median), y(0))
	}
	for i := range int(math.Round(highest/step)) + 1 {
		amount := step * float64(i)
		whole, _ := new(big.Float).SetFloat64(math.Round(amount)).Int(nil)
		d.Rows = append(d.Rows, tick{y(amount), wei.Format(new(big.Rat).SetInt(whole))})
	}
	return d
}

// niceStep is a round number of which two to five make up the whole.
func niceStep(whole float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(whole/4)))
	for _, step := range []float64{1, 2, 5} {
		if whole/(power*step) <= 5 {
			return power * step
		}
	}
	return power * 10
}

// from leaves out what was before a moment, except for what that begins with.
func from(since time.Time, balances []history.Balance) (later []history.Balance) {
	for _, b := range balances {
		if b.Time.Before(since) {
			b.Time, later = since, nil
		}
		later = append(later, b)
	}
	return later
}

// until leaves out what came at a moment or later.
func until(end time.Time, balances []history.Balance) []history.Balance {
	for i, b := range balances {
		if i > 0 && !b.Time.Before(end) {
			return balances[:i]
		}
	}
	return balances
}
