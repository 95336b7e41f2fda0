package past

import (
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"text/template"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/wei"
)

// plotLine is what is drawn in a panel.
type plotLine struct {
	name, color string
	points      []history.Balance
}

// plotLines are deposit and reserve over time, and what the tickets were worth.
func plotLines(w *wallet.Runway) []plotLine {
	var worth []history.Balance
	const finest = 600 // parts of the time: about a pixel each
	for _, made := range w.Worth {
		if last := len(worth) - 1; last > 0 && made.Time.Sub(worth[last].Time) < w.Until.Sub(w.Since)/finest {
			made.Time, worth = worth[last].Time, worth[:last]
		}
		worth = append(worth, made)
	}
	return []plotLine{
		{"deposit, now " + w.Deposit.String(), "#1f6fb4", from(w.Since, w.Deposits)},
		{"reserve, now " + w.Reserve.String(), "#2f9e44", from(w.Since, w.Reserves)},
		{"expected value of the tickets made, " + about(w.Made.EV) + " in all", "#d9480f", worth},
	}
}

// from leaves out what was before a moment, but for what it begins with.
func from(since time.Time, balances []history.Balance) (later []history.Balance) {
	for _, b := range balances {
		if b.Time.Before(since) {
			b.Time, later = since, nil
		}
		later = append(later, b)
	}
	return later
}

// The picture's size, and where the panels are in it.
const (
	plotWidth, plotHeight = 800, 600
	plotLeft, plotRight   = 130, 780
	plotTop, plotPanel    = 70, 120 // the first panel's top, and each one's height
	plotGap               = 55      // between panels
)

// plotPart is one line of the picture, in a panel and at a scale of its own: a reserve
// may be a thousand times a deposit.
type plotPart struct {
	Name, Color, Points string
	Top                 int
	Rows                []plotTick
}

type plotTick struct {
	At   float64
	Text string
}

var plotTemplate = template.Must(template.New("plot").Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" height="{{.Height}}" font-family="sans-serif" font-size="12">
<title>Deposit, reserve and expected value of {{.Sender}}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="{{.Left}}" y="28" font-size="14">{{.Sender}}</text>
{{- range .Parts}}
<text x="{{$.Left}}" y="{{.Top}}" dy="-12" font-weight="bold" fill="{{.Color}}">{{.Name}}</text>
{{- range .Rows}}
<line x1="{{$.Left}}" x2="{{$.Right}}" y1="{{.At}}" y2="{{.At}}" stroke="#dddddd"/><text x="{{$.Left}}" dx="-8" y="{{.At}}" dy="4" text-anchor="end">{{.Text}}</text>
{{- end}}
<polyline points="{{.Points}}" fill="none" stroke="{{.Color}}" stroke-width="2"/>
{{- end}}
{{- range .Columns}}
<text x="{{.At}}" y="{{$.Height}}" dy="-20" text-anchor="middle">{{.Text}}</text>
{{- end}}
</svg>
`))

// writePlot draws the picture.
func writePlot(w io.Writer, told *wallet.Runway) error {
	length := told.Until.Sub(told.Since)
	x := func(at time.Time) float64 {
		return plotLeft + (plotRight-plotLeft)*float64(at.Sub(told.Since))/math.Max(1, float64(length))
	}
	data := struct {
		Width, Height, Left, Right int
		Sender                     string
		Parts                      []plotPart
		Columns                    []plotTick
	}{Width: plotWidth, Height: plotHeight, Left: plotLeft, Right: plotRight, Sender: common.Address(told.Sender).Hex()}
	for i, line := range plotLines(told) {
		data.Parts = append(data.Parts, line.draw(plotTop+i*(plotPanel+plotGap), x, x(told.Until)))
	}
	const columns = 4
	layout := time.DateOnly
	if length < columns*24*time.Hour {
		layout = "01-02 15:04:05"
	}
	for i := range columns {
		at := told.Since.Add(length / columns * time.Duration(i))
		data.Columns = append(data.Columns, plotTick{x(at), at.UTC().Format(layout)})
	}
	return plotTemplate.Execute(w, data)
}

// draw makes the line up to its end, as stairs since an amount holds until the next one, and
// the scale behind it.
func (l plotLine) draw(top int, x func(time.Time) float64, end float64) plotPart {
	p := plotPart{Name: l.name, Color: l.color, Top: top}
	highest := 1.0
	amounts := make([]float64, len(l.points))
	for i, point := range l.points {
		amounts[i], _ = point.Wei.Float64()
		highest = math.Max(highest, amounts[i])
	}
	step := niceStep(highest)
	highest = math.Ceil(highest/step) * step
	y := func(amount float64) float64 { return float64(top) + plotPanel*(1-amount/highest) }
	var line strings.Builder
	last := amounts[0]
	for i, point := range l.points {
		fmt.Fprintf(&line, "%.1f,%.1f %.1f,%.1f ", x(point.Time), y(last), x(point.Time), y(amounts[i]))
		last = amounts[i]
	}
	fmt.Fprintf(&line, "%.1f,%.1f", end, y(last))
	p.Points = line.String()
	for i := range int(math.Round(highest/step)) + 1 {
		amount := step * float64(i)
		whole, _ := new(big.Float).SetFloat64(math.Round(amount)).Int(nil)
		p.Rows = append(p.Rows, plotTick{y(amount), wei.Format(new(big.Rat).SetInt(whole))})
	}
	return p
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
