package plot

import "time"

// maxColumns is how many dates stand below a picture at most.
const maxColumns = 6

// steps are what lies between two dates, in the order in which they are tried.
var steps = []struct {
	length time.Duration // or
	months int
	layout string
}{
	{time.Second, 0, seconds}, {5 * time.Second, 0, seconds}, {15 * time.Second, 0, seconds}, {time.Minute, 0, minutes},
	{5 * time.Minute, 0, minutes}, {15 * time.Minute, 0, minutes}, {time.Hour, 0, minutes}, {3 * time.Hour, 0, minutes},
	{12 * time.Hour, 0, minutes}, {24 * time.Hour, 0, time.DateOnly}, {2 * 24 * time.Hour, 0, time.DateOnly}, {7 * 24 * time.Hour, 0, time.DateOnly},
	{0, 1, "2006-01"}, {0, 3, "2006-01"}, {0, 6, "2006-01"}, {0, 12, "2006"}, {0, 24, "2006"}, {0, 60, "2006"}, {0, 120, "2006"}, {0, 600, "2006"},
}

// Dates always have their year.
const (
	minutes = "2006-01-02 15:04"
	seconds = "2006-01-02 15:04:05"
)

// columns are round times within the picture, in UTC.
func (p *Plot) columns() (ticks []tick) {
	for _, step := range steps {
		ticks = nil
		at := p.From.UTC().Truncate(max(step.length, time.Second))
		if step.months > 0 {
			years := max(1, step.months/12)
			at = time.Date(at.Year()/years*years, time.January, 1, 0, 0, 0, 0, time.UTC)
		}
		for ; !at.After(p.To) && len(ticks) <= maxColumns; at = at.AddDate(0, step.months, 0).Add(step.length) {
			if !at.Before(p.From) {
				ticks = append(ticks, tick{p.x(at), at.Format(step.layout)})
			}
		}
		// Where there are more, those beyond maxColumns were left out above.
		if room := min(maxColumns, maxColumns*len(time.DateOnly)/len(step.layout)); len(ticks) <= room {
			break
		}
	}
	if len(ticks) < 2 { // the two ends
		ticks = []tick{{p.x(p.From), p.From.UTC().Format(seconds)}, {p.x(p.To), p.To.UTC().Format(seconds)}}
	}
	return ticks
}
