package keystore

import (
	"errors"
	"fmt"
	"os"

	"github.com/pmctl/pmctl/internal/durable"
)

// writeFile writes data to path, or fails and leaves path unchanged. The data is written to a
// hidden file beside it, synced, read back and checked, and only then moved to path.
func writeFile(files durable.FS, path string, data []byte, check func([]byte) error, place durable.Placement) error {
	f, err := durable.Create(files, path)
	if err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	// After success only the temporary name, or nothing, remains to be removed.
	defer f.Discard()
	if err := fill(f, data, check); err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	err = f.Place(place)
	if err != nil && !errors.Is(err, durable.ErrUnsynced) {
		return fmt.Errorf("nothing was written: %w", err)
	}
	return err
}

// fill writes data to f with mode 0600, whatever the umask, and checks what can be read back.
func fill(f *durable.Pending, data []byte, check func([]byte) error) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Chmod(0o600)
	}
	if err == nil {
		err = f.Finish()
	}
	if err != nil {
		return err
	}
	written, err := os.ReadFile(f.Name())
	if err != nil {
		return err
	}
	return check(written)
}
