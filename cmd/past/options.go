package past

import (
	"io"
	"math/big"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/outfile"
)

// plotOptions say which file a picture is written to.
type plotOptions struct {
	path  string
	force bool
}

func (o *plotOptions) register(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&o.path, "plot", "", "draw "+what+" into the SVG `FILE`")
	cmd.Flags().BoolVar(&o.force, "force", false, "overwrite the file of --plot")
}

// begin begins the file, if one was asked for, so that a path that cannot be written fails
// before the chain is read. It is nil if none was.
func (o *plotOptions) begin(r *cli.Run, cmd *cobra.Command) (*outfile.File, error) {
	if !cmd.Flags().Changed("plot") {
		if o.force {
			return nil, cli.Usagef("--force has no effect without --plot FILE")
		}
		return nil, nil
	}
	if extension := filepath.Ext(o.path); !strings.EqualFold(extension, ".svg") {
		found := "has no extension"
		if extension != "" {
			found = "ends in " + extension
		}
		return nil, cli.Usagef("--plot %s: the name %s, but plots are SVG files; pass --plot %s", o.path, found, strings.TrimSuffix(o.path, extension)+".svg")
	}
	if o.force {
		return outfile.Replace(r.Files, "--plot", o.path)
	}
	file, err := outfile.Create(r.Files, "--plot", o.path)
	return file, outfile.ForceHint(err)
}

// finish draws the picture, unless file is nil, and says where it is.
func finish(p interface{ Write(io.Writer) error }, r *cli.Run, file *outfile.File) error {
	if file == nil {
		return nil
	}
	err := p.Write(file)
	if err == nil {
		err = outfile.ForceHint(file.Commit())
	}
	if err == nil {
		r.Note("plot written to %s", file.Path())
	}
	return err
}

// perUnit are the units of a rate.
var perUnit = map[string]time.Duration{"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// parseSpendRate reads an amount per unit of time, as wei per second.
func parseSpendRate(text string) (*big.Rat, error) {
	amountText, unit, _ := strings.Cut(text, "/")
	per := perUnit[unit]
	if per == 0 {
		return nil, cli.Usagef("--spend-rate %q: it must be an amount per second, minute, hour or day, such as 0.01eth/day", text)
	}
	amount, err := cli.ParseAmount("--spend-rate", amountText)
	if err != nil {
		return nil, err
	}
	if amount.IsZero() {
		return nil, cli.Usagef("--spend-rate %q: it must be more than 0", text)
	}
	return perSecond(amount.Rat(), per), nil
}

// parseTicketRate reads a number of tickets per unit of time, as tickets per second.
func parseTicketRate(text string) (*big.Rat, error) {
	number, unit, _ := strings.Cut(text, "/")
	tickets, ok := parseDecimal(number)
	per := perUnit[unit]
	if !ok || per == 0 || tickets.Sign() == 0 {
		return nil, cli.Usagef("--ticket-rate %q: it must be a number of tickets per second, minute, hour or day, such as 20/minute", text)
	}
	return perSecond(tickets, per), nil
}

func perSecond(rate *big.Rat, per time.Duration) *big.Rat {
	return new(big.Rat).Mul(rate, big.NewRat(int64(time.Second), int64(per)))
}

// parsePeriod reads a duration of whole seconds, which is how a result states it.
func parsePeriod(flag, text string) (time.Duration, error) {
	period, err := cli.ParseDuration(flag, text)
	if err == nil && period%time.Second != 0 {
		err = cli.Usagef("%s %s: it must be whole seconds, at least 1s", flag, text)
	}
	return period, err
}

// parseProbability reads a fraction or a decimal number between 0 and 1.
func parseProbability(flag, text string) (*big.Rat, error) {
	numerator, denominator, isFraction := strings.Cut(text, "/")
	p, ok := parseDecimal(numerator)
	if isFraction && ok {
		var by *big.Rat
		if by, ok = parseDecimal(denominator); ok && by.Sign() == 0 {
			ok = false
		} else if ok {
			p.Quo(p, by)
		}
	}
	if !ok || p.Sign() <= 0 || p.Cmp(big.NewRat(1, 1)) >= 0 {
		return nil, cli.Usagef("%s %q: it must be a fraction or a decimal number between 0 and 1, such as 1/50000 or 0.00002", flag, text)
	}
	return p, nil
}

// parseDecimal reads digits with or without a decimal point.
func parseDecimal(text string) (*big.Rat, bool) {
	const longest = 100
	if len(text) > longest || strings.Trim(text, "0123456789.") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}
