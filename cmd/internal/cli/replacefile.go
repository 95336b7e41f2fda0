package cli

import (
	"os"
	"path/filepath"
)

// ReplaceFile replaces the file at path with content, in one step: a reader
// sees all of the one or of the other. The file is readable for all users.
func ReplaceFile(path string, content []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".pmctl-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(content)
	if err == nil {
		err = temp.Chmod(0o644)
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}
