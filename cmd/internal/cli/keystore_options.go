package cli

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/keystore"
)

// KeystoreOptions say where the key files are.
type KeystoreOptions struct{ Path string }

// Register adds the flags to a command.
func (o *KeystoreOptions) Register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.Path, "keystore", "", "`PATH` of the keystore folder, or of one key file (default $ETH_KEYSTORE, else pmctl's own folder)")
	dialect.InGroup(cmd, dialect.AccountFlags, "keystore")
}

// Open returns the key files' store: the flag's, ETH_KEYSTORE's, or pmctl's own.
func (o *KeystoreOptions) Open(env *Env) (*keystore.Store, error) {
	path, _, err := o.Locate(env)
	if err != nil {
		return nil, err
	}
	return keystore.Open(path), nil
}

// Locate returns where the key files are, and what says so.
func (o *KeystoreOptions) Locate(env *Env) (path, from string, err error) {
	path, from, err = env.Find(o.Path, SettingKeystore())
	if err == nil && strings.HasPrefix(path, "~") {
		return "", "", WithHint(Usagef("%s: %s begins with ~, which is a home folder only to a shell", from, path),
			"write the path in full, or start a name that begins with ~ with ./")
	}
	if strings.TrimSpace(path) != path {
		return "", "", Usagef("%s: %q begins or ends with white space", from, path)
	}
	if err != nil || path != "" {
		return path, from, err
	}
	dir, err := env.dataDir()
	return filepath.Join(dir, "keystore"), from, err
}
