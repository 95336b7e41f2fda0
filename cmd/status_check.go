package cmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/pmctl/pmctl/wallet/wei"
)

// thresholds are what an account must have at least.
type thresholds []threshold

type threshold struct {
	thresholdSetting
	least *wei.Wei // nil for nothing
	from  string
}

// thresholds are what the command line says, or else the config files.
func (o *statusOptions) thresholds(s *settings) (thresholds, error) {
	var all thresholds
	for _, wanted := range []struct {
		thresholdSetting
		text string
	}{{minDeposit(), o.minDeposit}, {minReserve(), o.minReserve}} {
		t := threshold{thresholdSetting: wanted.thresholdSetting}
		t.least, t.from = s.threshold(t.thresholdSetting)
		if wanted.text != "" {
			amount, err := parseAmount(t.flag, wanted.text)
			if err != nil {
				return nil, err
			}
			t.least, t.from = &amount, t.flag
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
	if failed == nil || v.output == outputJSON {
		err := v.emit("pmctl.status", result, func(w io.Writer) error {
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
