package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/pmctl/pmctl/keystore"
)

// ReadSecret reads a key to the end of in, at most limit bytes.
func ReadSecret(in io.Reader, name string, limit int) ([]byte, error) {
	// One buffer from the start: growing it would leave copies of the key behind.
	buffer := make([]byte, limit+1)
	n, err := io.ReadFull(in, buffer)
	switch {
	case err == nil:
		err = fmt.Errorf("%w: %s has more than %d bytes", keystore.ErrBadKey, name, limit)
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("%w: %s is empty", keystore.ErrBadKey, name)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return buffer[:n], nil
	default:
		err = fmt.Errorf("%s: %w", name, err)
	}
	clear(buffer)
	return nil, err
}
