package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// world is a user with funds on a local network.
type world struct {
	folder string
	env    []string

	network *exec.Cmd
	stdin   io.Closer
	proxy   *proxy

	recipient, account, keyFile, passphrase string

	// closers are called before the network ends.
	closers []func()
}

// roundTrip is the usual distance of a node.
const roundTrip = 50 * time.Millisecond

// newWorld creates a world with the programs in folder.
func newWorld(ctx context.Context, folder string) (_ *world, err error) {
	w := &world{folder: folder, passphrase: filepath.Join(folder, "passphrase")}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	state := filepath.Join(folder, "devnet.json")
	w.env = []string{
		"HOME=" + folder, "PATH=" + folder + ":" + os.Getenv("PATH"), "ETH_PASSWORD=" + w.passphrase,
		"PMCTL_NETWORK=devnet", "PMCTL_DEVNET_STATE=" + state,
		"PMCTL_AGENT=off",
	}
	config := filepath.Join(folder, ".config", "pmctl")
	if err := os.MkdirAll(config, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(config, "config.toml"), []byte("[limits]\nmax_total_ev = \"10eth\"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(w.passphrase, []byte("secret\n"), 0o600); err != nil {
		return nil, err
	}
	if err := w.start(ctx, state); err != nil {
		return nil, err
	}
	var account struct {
		Data struct {
			Address string `json:"address"`
			Path    string `json:"path"`
		} `json:"data"`
	}
	out, err := w.output(ctx, "pmctl", "account", "new", "-o", "json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, &account); err != nil {
		return nil, err
	}
	w.account, w.keyFile = account.Data.Address, account.Data.Path
	for _, line := range [][]string{
		{"pmctl-devnet", "faucet", account.Data.Address, "100eth"},
		{"pmctl", "fund", "--deposit", "10eth", "--reserve", "10eth", "--yes"},
	} {
		if _, err := w.output(ctx, line[0], line[1:]...); err != nil {
			return nil, err
		}
	}
	// It ends by itself if this process dies.
	return w, w.run([]string{filepath.Join(folder, "pmctl"), "agent", "start", "--lifetime", "2h"}, w.socket())(ctx)
}

// socket is the agent's, as a variable.
func (w *world) socket() string { return "PMCTL_AGENT=" + filepath.Join(w.folder, "agent", "sock") }

// start starts the network, and a node that is a round trip away.
func (w *world) start(ctx context.Context, state string) error {
	w.network = exec.CommandContext(ctx, filepath.Join(w.folder, "pmctl-devnet"), "--state", state, "-o", "json", "--until-stdin-closes")
	var err error
	if w.stdin, err = w.network.StdinPipe(); err != nil {
		return err
	}
	stdout, err := w.network.StdoutPipe()
	if err != nil {
		return err
	}
	if err := w.network.Start(); err != nil {
		return err
	}
	var ready struct {
		RPCURL     string `json:"rpc_url"`
		Recipients []struct {
			URL string `json:"url"`
		} `json:"recipients"`
	}
	if err := json.NewDecoder(stdout).Decode(&ready); err != nil || len(ready.Recipients) == 0 {
		return fmt.Errorf("the local network did not start: %w", err)
	}
	w.recipient = ready.Recipients[0].URL
	if w.proxy, err = newProxy(ready.RPCURL, roundTrip); err == nil {
		w.closers = append(w.closers, w.proxy.close)
	}
	return err
}

func (w *world) output(ctx context.Context, name string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, filepath.Join(w.folder, name), args...)
	command.Env, command.Dir = w.env, w.folder
	out, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s %v: %w: %s", name, args, err, exit.Stderr)
	}
	return out, err
}

// close ends the agent and the network.
func (w *world) close() {
	_ = w.run([]string{filepath.Join(w.folder, "pmctl"), "agent", "stop"}, w.socket())(context.Background()) // if it has begun
	for _, end := range w.closers {
		end()
	}
	if w.stdin != nil {
		w.stdin.Close()
		_ = w.network.Wait()
	}
}

// rows are the commands that people wait for.
func (w *world) rows() []row {
	bin := func(name string) string { return filepath.Join(w.folder, name) }
	params := []string{"sh", "-c", "pmctl params fetch " + w.recipient + " -o json >params.json"}
	twice := []string{"sh", "-c", params[2] + " && pmctl params fetch " + w.recipient + " -o json >more.json"}
	batch := func(file string, count string) []string {
		return []string{bin("pmctl"), "ticket", "batch", "--params", file, "--count", count, "-o", "ndjson"}
	}
	return []row{
		{
			name:     "mint of 600 through the agent / cold",
			before:   w.run(twice),
			of:       w.process(batch("params.json", "600"), w.socket()),
			baseline: w.process(batch("more.json", "600")),
		},
		{
			name:     "one ticket through the agent / cobra",
			before:   w.run(params),
			of:       w.process(batch("params.json", "1"), w.socket()),
			baseline: w.process([]string{bin("hello"), "version"}),
		},
		{
			name:     "version / a program on cobra",
			of:       w.process([]string{bin("pmctl"), "version"}),
			baseline: w.process([]string{bin("hello"), "version"}),
		},
		{
			name:     "cold mint of 600 / decryption of its key file",
			before:   w.run(params), // a session has 600 nonces
			of:       w.process(batch("params.json", "600")),
			baseline: w.process([]string{bin("pmctl-bench"), "decrypt", w.keyFile, w.passphrase}),
		},
		{
			name:     fmt.Sprintf("status / one eth_call, %v away", roundTrip),
			of:       w.process([]string{bin("pmctl"), "status", "--rpc-url", w.proxy.url}),
			baseline: w.process([]string{bin("pmctl-bench"), "call", w.proxy.url}),
		},
	}
}
