package plot

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/template"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Bars is a picture of the probability of each number of wins.
type Bars struct {
	Title, Subtitle string
	luck            *wallet.Luck
}

// Luck is the distribution of the wins of a period, with what is expected and what most periods
// stay within.
func Luck(l *wallet.Luck) *Bars {
	last := l.AtMost[len(l.AtMost)-1]
	return &Bars{
		Title: fmt.Sprintf("Winning tickets of %s in %s", l.FaceValue, Period(l.Seconds)),
		Subtitle: fmt.Sprintf("%s expected, %s; in %g %% of all periods at most %d, %s",
			Number(l.ExpectedWins), wei.Format(l.TotalEVExact.Rat), 100*(1-last.Risk), last.Wins, last.Paid),
		luck: l,
	}
}

// LuckBars are the probabilities of the numbers of wins from Least to Most, of which Each stand
// together for one bar. What is less likely is left out.
type LuckBars struct {
	Least, Most   uint64
	Each          int
	Probabilities []float64
}

// BarsOf returns at most as many bars as there is room for, at least one.
func BarsOf(l *wallet.Luck, room int) LuckBars {
	const unlikely = 0.0005
	room = max(1, room)
	b := LuckBars{Most: l.AtMost[len(l.AtMost)-1].Wins + 1}
	b.Least = min(l.Wins.Quantile(1-unlikely), b.Most)
	masses := l.Wins.Between(b.Least, b.Most)
	b.Each = (len(masses) + room - 1) / room
	for part := range slices.Chunk(masses, b.Each) {
		var sum float64
		for _, mass := range part {
			sum += mass
		}
		b.Probabilities = append(b.Probabilities, sum)
	}
	return b
}

// maxBars is how many bars a picture has at most: each one then stands for several numbers of wins.
const maxBars = 80

// drawnBars is what drawing takes.
type drawnBars struct {
	Width, Height, Left, Right, Top, Bottom int
	Title, Subtitle                         string
	Bars                                    []bar
	Rows, Columns                           []tick
	Marks                                   []mark
}

type bar struct {
	X, Y, Width, Height float64
	Color               string
}

// mark is a line across the picture, with a text on its left.
type mark struct {
	At   float64
	Y    int
	Text string
}

const barDrawing = opening + `
{{- range .Rows}}
<line class="grid" x1="{{$.Left}}" x2="{{$.Right}}" y1="{{.At}}" y2="{{.At}}"/><text class="dim" x="{{$.Left}}" dx="-8" y="{{.At}}" dy="4" text-anchor="end">{{.Text}}</text>
{{- end}}
{{- range .Bars}}
<rect class="bar {{.Color}}" x="{{.X}}" y="{{.Y}}" width="{{.Width}}" height="{{.Height}}"/>
{{- end}}
{{- range .Columns}}
<text class="dim" x="{{.Center}}" y="{{$.Bottom}}" dy="20" text-anchor="middle">{{.Text}}</text>
{{- end}}
{{- range .Marks}}
<line class="now" x1="{{.At}}" x2="{{.At}}" y1="{{.Y}}" y2="{{$.Bottom}}"/><text class="dim" x="{{.At}}" dx="-4" y="{{.Y}}" dy="8" text-anchor="end">{{.Text}}</text>
{{- end}}
</svg>
`

// Write draws the picture as SVG.
func (b *Bars) Write(w io.Writer) error {
	const high = 200
	const bottom = top + high
	d := drawnBars{Width: width, Height: bottom + below, Left: left, Right: right, Top: top, Bottom: bottom, Title: b.Title, Subtitle: b.Subtitle}
	bars := BarsOf(b.luck, maxBars)
	least, each, heights := bars.Least, bars.Each, bars.Probabilities
	step := niceStep(100 * slices.Max(heights)) // in percent
	highest := math.Ceil(100*slices.Max(heights)/step) * step
	for i := range int(math.Round(highest/step)) + 1 {
		percent := step * float64(i)
		d.Rows = append(d.Rows, tick{bottom - high*percent/highest, fmt.Sprintf("%.4g %%", percent)})
	}
	// x is where the left edge of the bar of a number of wins is.
	across := float64(right-left) / float64(len(heights))
	x := func(wins float64) float64 {
		return math.Round(10*(left+across*(wins-float64(least))/float64(each))) / 10
	}
	within := b.luck.AtMost[0].Wins
	for i, height := range heights {
		first := least + uint64(i*each)
		color := "deposit"
		if first > within {
			color = "spent"
		}
		tall := math.Round(10*high*100*height/highest) / 10
		d.Bars = append(d.Bars, bar{x(float64(first)) + 1, bottom - tall, math.Max(1, math.Round(10*across)/10-2), tall, color})
	}
	// Labels of that many digits stand beside each other.
	maxLabels := min(12, (right-left)/(charWidth*len(fmt.Sprint(bars.Most))+4))
	labels := (len(heights) + maxLabels - 1) / maxLabels
	for i := 0; i < len(heights); i += labels {
		first := least + uint64(i*each)
		d.Columns = append(d.Columns, tick{x(float64(first)) + math.Round(5*across)/10, fmt.Sprint(first)})
	}
	// The texts are one below the other, since the lines may be close together.
	d.Marks = append(d.Marks, mark{x(b.luck.ExpectedWins + 0.5), top - 36, "expected"})
	for i, q := range b.luck.AtMost {
		d.Marks = append(d.Marks, mark{x(float64(q.Wins + 1)), top - 36 + 12*(i+1), fmt.Sprintf("%g %% of all periods", 100*(1-q.Risk))})
	}
	return template.Must(template.New("bars").Parse(barDrawing)).Execute(w, d)
}
