package cmd

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
)

// completionTime is what a person waits for at most after pressing TAB.
const completionTime = 500 * time.Millisecond

// completer completes command lines.
type completer struct {
	*cli.Run

	// dashed reports whether -- stands before the word that is completed: cobra adds one of its own, and so
	// hides it.
	dashed bool
}

// addCompletions lets the shell complete the flags and arguments of a command and of
// those under it. What a value is, its placeholder in the help says. Completing asks
// nothing, opens no key and makes no file; what cannot be read completes to nothing.
func addCompletions(r completer, cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		addCompletions(r, sub)
	}
	dialect.ShowRelations(cmd)
	register := func(flag *pflag.Flag) {
		if complete := r.flagCompletion(flag); complete != nil {
			// It fails for a flag that is not there, or has one already.
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, complete)
		}
	}
	cmd.Flags().VisitAll(register)
	cmd.PersistentFlags().VisitAll(register)
	if cmd.ValidArgs == nil && cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = r.argCompletion(cmd)
	}
}

// unquoteUsage takes the quotes that mark placeholders out of what shells show of flags.
func unquoteUsage(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		unquoteUsage(sub)
	}
	unquote := func(flag *pflag.Flag) { flag.Usage = strings.ReplaceAll(flag.Usage, "`", "") }
	cmd.Flags().VisitAll(unquote)
	cmd.PersistentFlags().VisitAll(unquote)
}

// flagCompletion is what completes a flag's value, nil for the names of files.
func (r completer) flagCompletion(flag *pflag.Flag) cobra.CompletionFunc {
	if c, ok := flag.Value.(*cli.Choice); ok {
		return cobra.FixedCompletions(c.Allowed, cobra.ShellCompDirectiveNoFileComp)
	}
	placeholder, _ := pflag.UnquoteUsage(flag)
	switch {
	case placeholder == "FILE", placeholder == "PATH", placeholder == "LOCATION":
		return nil
	case placeholder == "SOURCE":
		return cobra.FixedCompletions([]string{"chain"}, cobra.ShellCompDirectiveDefault)
	case flag.Name == "network":
		return cobra.FixedCompletions([]string{wallet.ArbitrumOne, wallet.Devnet}, cobra.ShellCompDirectiveNoFileComp)
	case flag.Name == "capabilities":
		return cobra.FixedCompletions(cli.PipelinePrefixes(), cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)
	case flag.Name == "profile":
		return r.completing(r.knownProfiles)
	case flag.Name == "recipient":
		return r.completing(r.knownRecipients)
	case flag.Name == "recipient-url":
		return r.completing(r.knownURLs)
	case flag.Name == "controller":
		return cobra.NoFileCompletions
	case placeholder == "ADDRESS":
		return r.completing(r.knownAccounts)
	}
	return cobra.NoFileCompletions
}

// argCompletion is what completes a command's arguments, nil for the names of files.
func (r completer) argCompletion(cmd *cobra.Command) cobra.CompletionFunc {
	takes := dialect.Positionals(cmd)
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if dash := cmd.ArgsLenAtDash(); r.dashed && dash >= 0 && dialect.TakesCommand(cmd) {
			return r.commandCompletion(args[dash:], typed)
		}
		next := len(args)
		if next >= len(takes) {
			if next = len(takes) - 1; next < 0 || !takes[next].Repeats {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
		}
		var sources []source
		for _, kind := range strings.Split(takes[next].Name, "|") {
			switch kind {
			case "FILE":
				return nil, cobra.ShellCompDirectiveDefault
			case "RECIPIENT":
				sources = append(sources, r.knownURLs, r.knownRecipients)
			case "URL":
				sources = append(sources, r.knownURLs)
			case "HASH":
				sources = append(sources, r.knownTransactions)
			case "ADDRESS":
				sources = append(sources, r.knownAccounts)
			}
		}
		return r.completing(sources...)(cmd, args, typed)
	}
}

// commandCompletion completes the words of another program's command line: its name to programs and
// files, all others to files, which are the shell's to find.
func (r completer) commandCompletion(words []string, typed string) (names []string, _ cobra.ShellCompDirective) {
	if len(words) > 0 || typed == "" || strings.ContainsRune(typed, filepath.Separator) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	for _, folder := range filepath.SplitList(r.Getenv("PATH")) {
		entries, _ := os.ReadDir(folder) // a folder that is not there has no programs
		for _, entry := range entries {
			if !strings.HasPrefix(entry.Name(), typed) || slices.Contains(names, entry.Name()) {
				continue
			}
			const executable = 0o111
			if info, err := os.Stat(filepath.Join(folder, entry.Name())); err == nil && info.Mode().IsRegular() && info.Mode()&executable != 0 {
				names = append(names, entry.Name())
			}
		}
	}
	return names, cobra.ShellCompDirectiveDefault
}

// source returns the values that a word can be completed to.
type source func(ctx context.Context, line *pflag.FlagSet) []cobra.Completion

// completing completes to those values of the sources that begin as what was typed,
// whatever the case of its letters.
func (r completer) completing(sources ...source) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		var found []string
		for _, values := range sources {
			for _, value := range values(ctx, cmd.Flags()) {
				word, _, _ := strings.Cut(value, "\t")
				begins := len(word) >= len(typed) && strings.EqualFold(word[:len(typed)], typed)
				if begins && !slices.Contains(args, word) {
					found = append(found, value)
				}
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// knownAccounts are those of the keystore that the line means.
func (r completer) knownAccounts(_ context.Context, line *pflag.FlagSet) (found []cobra.Completion) {
	keys := cli.KeystoreOptions{Path: valueOf(line, "keystore")}
	opened, err := keys.Open(r.Env)
	if err != nil {
		return nil
	}
	list, err := opened.List()
	if err != nil {
		return nil
	}
	for _, account := range list.Accounts {
		found = append(found, account.Address.Hex())
	}
	return found
}

// knownProfiles are those of the config files.
func (r completer) knownProfiles(context.Context, *pflag.FlagSet) []cobra.Completion {
	files, err := r.Settings()
	if err != nil {
		return nil
	}
	return files.Profiles()
}

// knownURLs are where recipients were paid.
func (r completer) knownURLs(ctx context.Context, line *pflag.FlagSet) (found []cobra.Completion) {
	for _, paid := range r.paidRecipients(ctx, line) {
		if value := cobra.CompletionWithDesc(format.PlainText(paid.URL), paid.Address.Hex()); !slices.Contains(found, value) {
			found = append(found, value)
		}
	}
	return found
}

// knownRecipients are who was paid.
func (r completer) knownRecipients(ctx context.Context, line *pflag.FlagSet) (found []cobra.Completion) {
	seen := make(map[common.Address]bool)
	for _, paid := range r.paidRecipients(ctx, line) {
		if !seen[paid.Address] {
			seen[paid.Address] = true
			found = append(found, cobra.CompletionWithDesc(paid.Address.Hex(), format.PlainText(paid.URL)))
		}
	}
	return found
}

func (r completer) paidRecipients(ctx context.Context, line *pflag.FlagSet) []wallet.KnownRecipient {
	network, location, err := r.where(line)
	if err != nil {
		return nil
	}
	return wallet.KnownRecipients(ctx, network, location)
}

// knownTransactions are the journal's; those alone that may still be mined where nothing
// else can be done to a transaction.
func (r completer) knownTransactions(ctx context.Context, line *pflag.FlagSet) (found []cobra.Completion) {
	network, location, err := r.where(line)
	if err != nil {
		return nil
	}
	for _, t := range wallet.KnownTransactions(ctx, network, location) {
		// A command with a price replaces the transaction.
		if replaces := line.Lookup("max-fee") != nil; replaces && !t.State.Unsettled() {
			continue
		}
		found = append(found, cobra.CompletionWithDesc(t.Hash.Hex(), format.PlainText(string(t.State)+": "+t.Label.String())))
	}
	return found
}

// where returns the network and the store that the line means.
func (r completer) where(line *pflag.FlagSet) (network wallet.Network, location string, err error) {
	o := cli.NetworkOptions{Network: valueOf(line, "network"), Controller: valueOf(line, "controller")}
	if o.Controller != "" {
		o.ChainID, _ = line.GetUint64("chain-id")
	}
	if network, err = o.ChooseNetwork(r.Env); err == nil {
		location, err = (&cli.StoreOptions{Location: valueOf(line, "store")}).Choose(r.Env)
	}
	return network, location, err
}

// valueOf is what the line says for a flag so far, "" for one that the command has not.
func valueOf(line *pflag.FlagSet, name string) string {
	if flag := line.Lookup(name); flag != nil {
		return flag.Value.String()
	}
	return ""
}
