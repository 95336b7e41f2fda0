package devnet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pmctl/pmctl/wallet/chain"
)

// ErrRunning is returned if the state file belongs to another running network.
var ErrRunning = errors.New("a local network is already running")

// running is ErrRunning with the process to stop, and the file to use another instead of.
func running(path string, state *chain.DevnetState) error {
	return fmt.Errorf("%w (process %d, %s): stop it, or give this one its own state file instead of %s", ErrRunning, state.PID, state.RPCURL, path)
}

// clearStale removes the state file of a network that has ended, and fails with ErrRunning
// if it still runs. Any other file stays.
func clearStale(path string) error {
	state, err := chain.ReadDevnetState(path)
	if errors.Is(err, chain.ErrNoDevnet) {
		return nil
	}
	if err != nil {
		return err
	}
	if alive(state) {
		return running(path, state)
	}
	return remove(path)
}

// alive reports whether the process still runs and something listens at its network's port: a
// process ID alone may be reused. A port that does not answer in time is not a closed one: the
// process, or the machine, may stand still.
func alive(state *chain.DevnetState) bool {
	process, err := os.FindProcess(state.PID)
	if err != nil || state.PID <= 0 {
		return false
	}
	if err := process.Signal(syscall.Signal(0)); err != nil && !errors.Is(err, os.ErrPermission) {
		return false
	}
	address, err := url.Parse(state.RPCURL)
	if err != nil {
		return false
	}
	conn, err := net.DialTimeout("tcp", address.Host, time.Second)
	if err != nil {
		return os.IsTimeout(err)
	}
	conn.Close()
	return true
}

// writeState writes the state file, whole and readable only by its owner. It never overwrites
// another: of two networks that start at once, one fails.
func writeState(path string, state chain.DevnetState) error {
	data, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, ".devnet-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(append(data, '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	err = os.Link(file.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		if other, readErr := chain.ReadDevnetState(path); readErr == nil {
			return running(path, other)
		}
	}
	return err
}

// removeState removes the state file if it is still the one that pid wrote for the network at
// rpcURL.
func removeState(path string, pid int, rpcURL string) error {
	state, err := chain.ReadDevnetState(path)
	if errors.Is(err, chain.ErrNoDevnet) || err == nil && (state.PID != pid || state.RPCURL != rpcURL) {
		return nil
	}
	if err != nil {
		return err
	}
	return remove(path)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
