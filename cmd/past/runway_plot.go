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
	"github.com/pmctl/pmctl/wallet/wei"
)

// plotPoint is an amount in wei from a moment on.
type plotPoint struct {
	at     time.Time
	amount float64
}

// plotLine is what is drawn in a panel.
type plotLine struct {
	name, color string
	points      []plotPoint
}

// plotLines are deposit and reserve over time, and what the tickets were worth.
func plotLines(w *wallet.Runway) []*plotLine {
	deposit := &plotLine{name: "deposit, now " + w.Deposit.String(), color: "#1f6fb4"}
	reserve := &plotLine{name: "reserve, now " + w.Reserve.String(), color: "#2f9e44"}
	worth := &plotLine{name: "expected value of the tickets made, " + about(w.Made.EV) + " in all", color: "#d9480f"}
	for _, b := range w.Balances {
		if b.Time.Before(w.Since) {
			b.Time = w.Since // the last of these is what it began with
			deposit.points, reserve.points = nil, nil
		}
		deposit.add(b.Time, b.Deposit)
		reserve.add(b.Time, b.Reserve)
	}
	const finest = 600 // parts of the time: about a pixel each
	for _, made := range w.Worth {
		if last := len(worth.points) - 1; last > 0 && made.Time.Sub(worth.points[last].at) < w.Until.Sub(w.Since)/finest {
			made.Time = worth.points[last].at
			worth.points = worth.points[:last]
		}
		worth.add(made.Time, made.EV)
	}
	return []*plotLine{deposit, reserve, worth}
}

func (l *plotLine) add(at time.Time, amount *big.Rat) {
	v, _ := amount.Float64()
	l.points = append(l.points, plotPoint{at, v})
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
	from, length := told.Since, told.Until.Sub(told.Since)
	x := func(at time.Time) float64 {
		return plotLeft + (plotRight-plotLeft)*float64(at.Sub(from))/math.Max(1, float64(length))
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
		at := from.Add(length / columns * time.Duration(i))
		data.Columns = append(data.Columns, plotTick{x(at), at.UTC().Format(layout)})
	}
	return plotTemplate.Execute(w, data)
}

// draw makes the line up to its end, as stairs since an amount holds until the next one, and
// the scale behind it.
func (l *plotLine) draw(top int, x func(time.Time) float64, end float64) plotPart {
	p := plotPart{Name: l.name, Color: l.color, Top: top}
	highest := 1.0
	for _, point := range l.points {
		highest = math.Max(highest, point.amount)
	}
	step := niceStep(highest)
	highest = math.Ceil(highest/step) * step
	y := func(amount float64) float64 { return float64(top) + plotPanel*(1-amount/highest) }
	var line strings.Builder
	last := l.points[0]
	for _, point := range l.points {
		fmt.Fprintf(&line, "%.1f,%.1f %.1f,%.1f ", x(point.at), y(last.amount), x(point.at), y(point.amount))
		last = point
	}
	fmt.Fprintf(&line, "%.1f,%.1f", end, y(last.amount))
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
