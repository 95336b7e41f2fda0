package look

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"
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
	// In one piece, so that no half of it is seen.
	var screen bytes.Buffer
	if term := v.Getenv("TERM"); v.OutTerminal && term != "" && term != "dumb" {
		screen.WriteString(clearScreen)
	}
	shown := cli.OutPageOn(v.Run, &screen)
	writeStatus(shown, result, v.Verbose)
	shown.Paragraph("as of " + v.Now().UTC().Format(time.RFC3339) + ", again in " + v.interval.String() + "; press Ctrl-C to stop")
	screen.WriteString("\n")
	_, err := io.Copy(v.Out, &screen)
	return err
}
