package look

import (
	"fmt"
	"io"
	"strings"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/pmctl/pmctl/wallet/wei"
)

// thresholds are what an account must have at least.
type thresholds []threshold

type threshold struct {
	cli.ThresholdSetting
	least *wei.Wei // nil for nothing
	from  string
}

// thresholds are what the command line says, or else the config files.
func (o *statusOptions) thresholds(s *cli.Settings) (thresholds, error) {
	var all thresholds
	for _, wanted := range []struct {
		cli.ThresholdSetting
		text string
	}{{cli.MinDeposit(), o.minDeposit}, {cli.MinReserve(), o.minReserve}} {
		t := threshold{ThresholdSetting: wanted.ThresholdSetting}
		t.least, t.from = s.Threshold(t.ThresholdSetting)
		if wanted.text != "" {
			amount, err := cli.ParseAmount(t.Flag, wanted.text)
			if err != nil {
				return nil, err
			}
			t.least, t.from = &amount, t.Flag
		}
		all = append(all, t)
	}
	return all, nil
}

// checkError is a check that failed.
type checkError struct {
	// text says everything that is wrong, err is the first of it.
	text string
	err  error
}

func (e *checkError) Error() string { return e.text }
func (e *checkError) Unwrap() error { return e.err }

// Hint says where to look.
func (e *checkError) Hint() string { return "pmctl status shows all of it" }

// judge is a check: one line when nothing is wrong, and an error with all that is.
func (v *statusView) judge(result *statusResult) error {
	var failed *checkError
	for _, w := range result.Warnings {
		switch {
		case !w.Problem:
		case failed == nil:
			failed = &checkError{w.Text, w.err}
		default:
			failed.text = strings.TrimSuffix(failed.text, ".") + "; " + w.Text
		}
	}
	if failed == nil || v.Output == cli.OutputJSON {
		err := v.Emit("pmctl.status", result, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "ok: deposit %s, reserve %s, %s\n", result.Deposit, result.Reserve, result.Lock)
			return err
		})
		if err != nil {
			return err
		}
	}
	if failed == nil {
		return nil
	}
	return failed
}
