package cmd

import "github.com/pmctl/pmctl/cmd/internal/cli"

// The exit codes, as the tests name them.
const (
	exitDone         = cli.ExitDone
	exitFailed       = cli.ExitFailed
	exitUsage        = cli.ExitUsage
	exitLimit        = cli.ExitLimit
	exitFunds        = cli.ExitFunds
	exitUnacceptable = cli.ExitUnacceptable
	exitLocked       = cli.ExitLocked
	exitUnreachable  = cli.ExitUnreachable
	exitNotMined     = cli.ExitNotMined
	exitCancelled    = cli.ExitCancelled
)
