package input

import (
	"errors"
	"fmt"
	"os"
)

// ErrFolder is returned by Open for a folder, which opens like a file: it would fail with the first
// read only, when something may have been done already.
var ErrFolder = errors.New("is a folder, not a file")

func openFile(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		file.Close()
		return nil, fmt.Errorf("%s %w", path, ErrFolder)
	}
	return file, nil
}
