package look

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
)

// defaultInterval is that of status --watch: the time between blocks of Ethereum.
const defaultInterval = 12 * time.Second

// clearScreen puts the cursor into the first place of an empty screen.
const clearScreen = "\x1b[H\x1b[2J"

// watching shows the status until ctx ends. What cannot be read now may be later: only
// the first look fails.
func (v *statusView) watching(ctx context.Context) error {
	if v.OutputByDefault && !v.OutTerminal {
		v.Output = cli.OutputJSON
	}
	ticker := time.NewTicker(v.interval)
	defer ticker.Stop()
	for first := true; ; first = false {
		result, err := v.look(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && first:
			return err
		case err != nil && v.Output == cli.OutputJSON:
			if err := format.WriteError(v.Out, cli.Failure(err)); err != nil {
				return err
			}
		case err != nil:
			v.Note("%s  %v", v.Now().UTC().Format(time.RFC3339), err)
		default:
			if err := v.refresh(ctx, result); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// refresh shows a status after another one: in its place on a terminal that can, on a
// line of its own as JSON.
func (v *statusView) refresh(ctx context.Context, result *check.Document) error {
	if v.Output == outputPrometheus {
		return v.show(ctx, result)
	}
	if v.Output == cli.OutputJSON {
		return format.WriteLine(v.Out, "pmctl.status", result)
	}
	var status, when strings.Builder
	writeStatus(cli.OutPageOn(v.Run, &status), result, v.Verbose)
	cli.OutPageOn(v.Run, &when).Paragraph("as of " + v.Now().UTC().Format(time.RFC3339) + ", again in " + duration.Text(v.interval) + "; press Ctrl-C to stop")
	when.WriteString("\n")
	clear, shown := "", status.String()
	if term := v.Getenv("TERM"); v.OutTerminal && term != "" && term != "dumb" {
		clear = clearScreen
		if v.OutSize != nil {
			_, rows := v.OutSize()
			shown = firstLines(shown, rows-strings.Count(when.String(), "\n")-1) // where the cursor is
		}
	}
	// In one piece, so that no half of it is seen.
	_, err := io.WriteString(v.Out, clear+shown+when.String())
	return err
}

// firstLines cuts a text that has more lines than that: the verdict is in the first, and would be scrolled
// away. A terminal of no rows, or of very few, gets the whole text.
func firstLines(text string, most int) string {
	lines := strings.SplitAfter(text, "\n")
	left := len(lines) - most
	if most < 2 || left <= 1 { // behind the last line there is nothing
		return text
	}
	return strings.Join(lines[:most-1], "") + fmt.Sprintf("… %d more lines, in a terminal with more rows\n", left)
}
