package keystore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts"
	geth "github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/input"
)

// Listing is the content of a store.
type Listing struct {
	// Accounts are the usable accounts, in the order of their files' names, which is that of their
	// creation.
	Accounts []accounts.Account
	// Unnamed are usable key files that do not name their address, as version 3 allows: only
	// opening one shows it.
	Unnamed []string
	// Problems are the files from which no account can be read.
	Problems []*FileError
}

// List reads the addresses of all key files, without decrypting any. A folder that does not exist
// is empty. Subfolders, hidden files and backups (names ending in "~") are skipped; links are
// followed, and a file with two names counts once.
func (s *Store) List() (Listing, error) {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Listing{}, nil
	case err != nil:
		return Listing{}, fmt.Errorf("keystore: %w", err)
	case !info.IsDir():
		return listFiles([]string{s.path}), nil
	}
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return Listing{}, fmt.Errorf("keystore: %w", err)
	}
	var paths []string
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") {
			continue
		}
		if kind := entry.Type(); kind.IsRegular() || kind&fs.ModeSymlink != 0 {
			paths = append(paths, filepath.Join(s.path, name))
		}
	}
	return listFiles(paths), nil
}

func listFiles(paths []string) Listing {
	var list Listing
	seen := make(map[common.Address][]fs.FileInfo)
	for _, path := range paths {
		file, info, err := readKeyFile(path)
		if problem, ok := errors.AsType[*FileError](err); ok {
			if !errors.Is(err, errNotRegular) {
				list.Problems = append(list.Problems, problem)
			}
			continue
		}
		if slices.ContainsFunc(seen[file.address], func(other fs.FileInfo) bool { return os.SameFile(info, other) }) {
			continue
		}
		seen[file.address] = append(seen[file.address], info)
		if file.address == (common.Address{}) {
			list.Unnamed = append(list.Unnamed, path)
			continue
		}
		list.Accounts = append(list.Accounts, accounts.Account{Address: file.address, URL: fileURL(path)})
	}
	return list
}

// errNotRegular is the reason to skip a link to a folder or a device.
var errNotRegular = errors.New("not a regular file")

// readKeyFile reads and checks one key file. Its errors are of type *FileError.
func readKeyFile(path string) (*keyFile, fs.FileInfo, error) {
	file := &keyFile{}
	data, info, err := readBounded(path)
	if err == nil {
		file, err = parseKeyFile(data)
	}
	if file.address == (common.Address{}) {
		file.address = addressInName(path)
	}
	if err != nil {
		return nil, nil, &FileError{Path: path, Address: file.address, Err: err}
	}
	return file, info, nil
}

// readBounded reads a regular file of at most maxFileSize bytes.
func readBounded(path string) ([]byte, fs.FileInfo, error) {
	// A pipe would block, so only regular files are opened.
	if info, err := os.Stat(path); err != nil {
		return nil, nil, reason(err)
	} else if !info.Mode().IsRegular() {
		return nil, nil, errNotRegular
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, reason(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, reason(err)
	}
	data, err := input.ReadAll(f, maxFileSize)
	switch {
	case errors.As(err, new(*input.TooLongError)):
		return nil, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	case err != nil:
		return nil, nil, reason(err)
	case len(data) == 0:
		return nil, nil, fmt.Errorf("%w: it is empty", ErrDamaged)
	}
	return data, info, nil
}

// reason returns a file system's error without the path, which FileError has.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// addressInName returns the address at the end of a key file's name, or zero.
func addressInName(path string) common.Address {
	name := filepath.Base(path)
	address, err := parseAddress(name[max(0, len(name)-2*common.AddressLength):])
	if err != nil {
		return common.Address{}
	}
	return address
}

func fileURL(path string) accounts.URL {
	return accounts.URL{Scheme: geth.KeyStoreScheme, Path: path}
}
