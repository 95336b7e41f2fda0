package past

import "time"

// plotColumns is how many dates stand below a picture at most.
const plotColumns = 6

// plotSteps are what lies between two dates, in the order in which they are tried.
var plotSteps = []struct {
	length time.Duration // or
	months int
	layout string
}{
	{time.Second, 0, plotSeconds}, {5 * time.Second, 0, plotSeconds}, {15 * time.Second, 0, plotSeconds}, {time.Minute, 0, plotMinutes},
	{5 * time.Minute, 0, plotMinutes}, {15 * time.Minute, 0, plotMinutes}, {time.Hour, 0, plotMinutes}, {3 * time.Hour, 0, plotMinutes},
	{12 * time.Hour, 0, plotMinutes}, {24 * time.Hour, 0, time.DateOnly}, {2 * 24 * time.Hour, 0, time.DateOnly}, {7 * 24 * time.Hour, 0, time.DateOnly},
	{0, 1, "2006-01"}, {0, 3, "2006-01"}, {0, 6, "2006-01"}, {0, 12, "2006"}, {0, 24, "2006"}, {0, 60, "2006"}, {0, 120, "2006"}, {0, 600, "2006"},
}

// Dates always have their year.
const (
	plotMinutes = "2006-01-02 15:04"
	plotSeconds = "2006-01-02 15:04:05"
)

// columns are round times within the picture, in UTC.
func (p *plot) columns() (ticks []plotTick) {
	for _, step := range plotSteps {
		ticks = nil
		at := p.from.UTC().Truncate(max(step.length, time.Second))
		if step.months > 0 {
			years := max(1, step.months/12)
			at = time.Date(at.Year()/years*years, time.January, 1, 0, 0, 0, 0, time.UTC)
		}
		for ; !at.After(p.to) && len(ticks) <= plotColumns; at = at.AddDate(0, step.months, 0).Add(step.length) {
			if !at.Before(p.from) {
				ticks = append(ticks, plotTick{p.x(at), at.Format(step.layout)})
			}
		}
		if room := plotColumns * len(time.DateOnly) / len(step.layout); len(ticks) <= room {
			break
		}
	}
	if len(ticks) < 2 { // the two ends
		ticks = []plotTick{{p.x(p.from), p.from.UTC().Format(plotSeconds)}, {p.x(p.to), p.to.UTC().Format(plotSeconds)}}
	}
	return ticks
}
