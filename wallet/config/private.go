package config

import (
	"fmt"
	"os"

	"github.com/pmctl/pmctl/internal/access"
)

// checkPrivate refuses a file with a password that other users can read.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if others := access.Others(path, info); others != "" {
		return fmt.Errorf("%w: %s can read %s; run chmod 600 on it", ErrPublic, others, path)
	}
	return nil
}
