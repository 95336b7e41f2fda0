package signer

import (
	"fmt"
	"os"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/access"
)

// readSecret reads a file that a flag names, which other users must not be able to read. Among
// the service manager's credentials it may have any mode.
func readSecret(env *cli.Env, flag, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if others := access.Readers(path, info, env.Getenv("CREDENTIALS_DIRECTORY")); others != "" {
		return nil, cli.WithHint(fmt.Errorf("%s %s can be read by %s", flag, path, others), "chmod 600 %s", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return text, nil
}
