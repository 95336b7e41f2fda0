package cmd

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

// The picture's size, and where the drawing is in it.
const (
	plotWidth, plotHeight = 800, 400
	plotLeft, plotRight   = 110, 780
	plotTop, plotBottom   = 60, 350
)

// plotLine is one line of the picture, with its place in the legend.
type plotLine struct {
	Name, Color, Points string
	X                   int
}

type plotTick struct {
	At   float64
	Text string
}

var plotTemplate = template.Must(template.New("plot").Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" height="{{.Height}}" font-family="sans-serif" font-size="12">
<title>Deposit, reserve and expected value of {{.Sender}}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="{{.Left}}" y="22" font-size="14">{{.Sender}}</text>
{{- range .Lines}}
<rect x="{{.X}}" y="34" width="12" height="12" fill="{{.Color}}"/><text x="{{.X}}" dx="18" y="44">{{.Name}}</text>
{{- end}}
{{- range .Rows}}
<line x1="{{$.Left}}" x2="{{$.Right}}" y1="{{.At}}" y2="{{.At}}" stroke="#dddddd"/><text x="{{$.Left}}" dx="-8" y="{{.At}}" dy="4" text-anchor="end">{{.Text}}</text>
{{- end}}
{{- range .Columns}}
<text x="{{.At}}" y="{{$.Bottom}}" dy="22" text-anchor="middle">{{.Text}}</text>
{{- end}}
{{- range .Lines}}
<polyline points="{{.Points}}" fill="none" stroke="{{.Color}}" stroke-width="2"/>
{{- end}}
</svg>
`))

// writePlot draws the picture.
func writePlot(w io.Writer, d plotData) error {
	top := 1.0
	for _, points := range [][]plotPoint{d.deposit, d.reserve, d.ev} {
		for _, p := range points {
			top = math.Max(top, p.amount)
		}
	}
	step := niceStep(top)
	top = math.Ceil(top/step) * step
	x := func(at time.Time) float64 {
		return plotLeft + (plotRight-plotLeft)*float64(at.Sub(d.from))/math.Max(1, float64(d.to.Sub(d.from)))
	}
	y := func(amount float64) float64 { return plotBottom - (plotBottom-plotTop)*amount/top }
	// An amount holds until the next one: a line of stairs.
	stairs := func(points []plotPoint) string {
		var b strings.Builder
		for i, p := range points {
			if i > 0 {
				fmt.Fprintf(&b, "%.1f,%.1f ", x(p.at), y(points[i-1].amount))
			}
			fmt.Fprintf(&b, "%.1f,%.1f ", x(p.at), y(p.amount))
		}
		fmt.Fprintf(&b, "%.1f,%.1f", x(d.to), y(points[len(points)-1].amount))
		return b.String()
	}
	const legend = 230
	data := struct {
		Width, Height, Left, Right, Bottom int
		Sender                             string
		Lines                              []plotLine
		Rows, Columns                      []plotTick
	}{
		plotWidth, plotHeight, plotLeft, plotRight, plotBottom, d.sender.Hex(),
		[]plotLine{
			{"deposit " + d.lastD, "#1f6fb4", stairs(d.deposit), plotLeft},
			{"reserve " + d.lastRes, "#2f9e44", stairs(d.reserve), plotLeft + legend},
			{"EV made " + d.lastEV, "#d9480f", stairs(d.ev), plotLeft + 2*legend},
		}, nil, nil,
	}
	for amount := 0.0; amount <= top*1.0001; amount += step {
		whole, _ := new(big.Float).SetFloat64(math.Round(amount)).Int(nil)
		data.Rows = append(data.Rows, plotTick{y(amount), wei.Format(new(big.Rat).SetInt(whole))})
	}
	const columns = 4
	layout := time.DateOnly
	if d.to.Sub(d.from) < columns*24*time.Hour {
		layout = "01-02 15:04"
	}
	for i := range columns {
		at := d.from.Add(d.to.Sub(d.from) / columns * time.Duration(i))
		data.Columns = append(data.Columns, plotTick{x(at), at.UTC().Format(layout)})
	}
	return plotTemplate.Execute(w, data)
}

// niceStep is a round number of which about five make up the whole.
func niceStep(whole float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(whole/5)))
	for _, step := range []float64{1, 2, 5} {
		if whole/(power*step) <= 6 {
			return power * step
		}
	}
	return power * 10
}
