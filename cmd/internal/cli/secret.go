package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/keystore"
)

// ReadSecret reads a key to the end of in, at most limit bytes.
func ReadSecret(in io.Reader, name string, limit int) ([]byte, error) {
	key, err := input.ReadSecret(in, int64(limit))
	switch {
	case errors.As(err, new(*input.TooLongError)):
		return nil, fmt.Errorf("%w: %s has more than %d bytes", keystore.ErrBadKey, name, limit)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(key) == 0:
		return nil, fmt.Errorf("%w: %s is empty", keystore.ErrBadKey, name)
	}
	return key, nil
}
