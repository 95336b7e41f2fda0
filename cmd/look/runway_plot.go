package look

import (
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"text/template"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// plotPoint is an amount in wei from a moment on.
type plotPoint struct {
	at     time.Time
	amount float64
}

// plotData is what is drawn over a time.
type plotData struct {
	sender                 common.Address
	from, to               time.Time
	deposit, reserve, ev   []plotPoint
	lastEV, lastD, lastRes string
}

// plot follows deposit and reserve back from now, and adds up what was made.
func (s *spending) plot() plotData {
	d := plotData{
		sender: s.sender, from: s.from, to: s.now,
		lastD: s.status.Sender.Deposit.String(), lastRes: s.status.Sender.Reserve.String(), lastEV: about(s.draw.Made.EV.FloatString(0)),
	}
	balances := history.Balances(s.events, s.status.Sender.Deposit.Big(), s.status.Sender.Reserve.Big())
	for _, b := range balances {
		at := b.Time
		if at.Before(s.from) {
			at = s.from // the last of these is what it began with
			d.deposit, d.reserve = nil, nil
		}
		d.deposit = append(d.deposit, plotPoint{at, toFloat(b.Deposit)})
		d.reserve = append(d.reserve, plotPoint{at, toFloat(b.Reserve)})
	}
	sum := new(big.Rat)
	d.ev = []plotPoint{{s.from, 0}}
	const finest = 600 // parts of the time: about a pixel each
	for _, made := range s.made {
		sum.Add(sum, policy.Cost(uint64(made.Nonces.Count), made.TicketEV, made.FaceValue).EV)
		amount, _ := sum.Float64()
		last := d.ev[len(d.ev)-1]
		if len(d.ev) > 1 && made.At.Sub(last.at) < s.now.Sub(s.from)/finest {
			d.ev = d.ev[:len(d.ev)-1]
			made.At = last.at
		}
		d.ev = append(d.ev, plotPoint{made.At, amount})
	}
	return d
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
func writePlot(w io.Writer, d plotData) error {
	data := struct {
		Width, Height, Left, Right int
		Sender                     string
		Parts                      []plotPart
		Columns                    []plotTick
	}{Width: plotWidth, Height: plotHeight, Left: plotLeft, Right: plotRight, Sender: d.sender.Hex()}
	for i, line := range []struct {
		name, color string
		points      []plotPoint
	}{
		{"deposit, now " + d.lastD, "#1f6fb4", d.deposit},
		{"reserve, now " + d.lastRes, "#2f9e44", d.reserve},
		{"expected value of the tickets made, " + d.lastEV + " in all", "#d9480f", d.ev},
	} {
		part := plotPart{Name: line.name, Color: line.color, Top: plotTop + i*(plotPanel+plotGap)}
		part.draw(d, line.points)
		data.Parts = append(data.Parts, part)
	}
	const columns = 4
	layout := time.DateOnly
	if d.to.Sub(d.from) < columns*24*time.Hour {
		layout = "01-02 15:04:05"
	}
	for i := range columns {
		at := d.from.Add(d.to.Sub(d.from) / columns * time.Duration(i))
		data.Columns = append(data.Columns, plotTick{d.x(at), at.UTC().Format(layout)})
	}
	return plotTemplate.Execute(w, data)
}

// x is where a moment is in the picture.
func (d plotData) x(at time.Time) float64 {
	return plotLeft + (plotRight-plotLeft)*float64(at.Sub(d.from))/math.Max(1, float64(d.to.Sub(d.from)))
}

// draw fills in the line, as stairs since an amount holds until the next one, and the
// scale behind it.
func (p *plotPart) draw(d plotData, points []plotPoint) {
	highest := 1.0
	for _, point := range points {
		highest = math.Max(highest, point.amount)
	}
	step := niceStep(highest)
	highest = math.Ceil(highest/step) * step
	y := func(amount float64) float64 { return float64(p.Top) + plotPanel*(1-amount/highest) }
	var line strings.Builder
	last := points[0]
	for _, point := range points {
		fmt.Fprintf(&line, "%.1f,%.1f %.1f,%.1f ", d.x(point.at), y(last.amount), d.x(point.at), y(point.amount))
		last = point
	}
	fmt.Fprintf(&line, "%.1f,%.1f", d.x(d.to), y(last.amount))
	p.Points = line.String()
	for i := range int(math.Round(highest/step)) + 1 {
		amount := step * float64(i)
		whole, _ := new(big.Float).SetFloat64(math.Round(amount)).Int(nil)
		p.Rows = append(p.Rows, plotTick{y(amount), wei.Format(new(big.Rat).SetInt(whole))})
	}
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
