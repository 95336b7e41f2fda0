package keystore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// writeFile gives path the content data, or fails and leaves path as it was. The
// content goes to a hidden file beside it, reaches the disk, is read back and
// passes check, and only then place moves it to path.
func writeFile(path string, data []byte, check func([]byte) error, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	temp := f.Name()
	// When all went well only the name is left to remove, or nothing.
	defer os.Remove(temp)
	if err := fill(f, data, check); err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	if err := place(temp, path); err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("%s is written, but might not survive a power failure: %w", path, err)
	}
	return nil
}

// fill writes data to f, mode 0600 whatever the umask, closes it, and checks what
// can be read back.
func fill(f *os.File, data []byte, check func([]byte) error) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Chmod(0o600)
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
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

// placeNew moves from to to, which must not exist.
func placeNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// Some file systems know no links. Names carry the time to the nanosecond, so
	// that looking first is enough.
	if _, err := os.Lstat(to); err == nil {
		return &fs.PathError{Op: "create", Path: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}

// makeDir makes a folder that only its owner may enter, whatever the umask, and
// the folders above it. One that is there already is left as it is.
func makeDir(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDir(filepath.Dir(path)); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		info, statErr := os.Stat(path)
		if statErr == nil && !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
		}
		return statErr
	} else if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a folder survive a crash, where that can be asked for.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
