// Package cmd is pmctl's command line: its tree of commands, one package a noun below it.
// Only they print, prompt, or read environment variables.
package cmd

import "github.com/pmctl/pmctl/cmd/internal/cli"

// Env is what a command sees of the world around it.
type Env = cli.Env

// System is the Env of this process.
func System() *Env { return cli.System() }
