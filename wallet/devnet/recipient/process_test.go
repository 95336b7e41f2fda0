package recipient_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
)

// The test binary is also a recipient: this variable selects that.
const roleVariable = "PMCTL_RECIPIENT_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == "" {
		os.Exit(m.Run())
	}
	if err := serveUntilEOF(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// processConfig is what a recipient's process reads first.
type processConfig struct {
	Key           hexutil.Bytes
	RPCURL, WSURL string
	ChainID       *big.Int
	Controller    common.Address
	StorePath     string
}

// serveUntilEOF is a recipient's process: it writes the recipient's addresses and ends with its
// input.
func serveUntilEOF(in io.Reader, out io.Writer) error {
	var cfg processConfig
	if err := json.NewDecoder(in).Decode(&cfg); err != nil {
		return err
	}
	key, err := crypto.ToECDSA(cfg.Key)
	if err != nil {
		return err
	}
	start := devnet.OwnRecipient(devnet.RecipientConfig{Economy: recipient.DefaultEconomy(), StorePath: cfg.StorePath})
	r, err := start(context.Background(), devnet.RecipientEnv{
		Key: key, RPCURL: cfg.RPCURL, WSURL: cfg.WSURL, ChainID: cfg.ChainID, Controller: cfg.Controller,
		Handle: func(string, http.Handler) {},
	})
	if err != nil {
		return err
	}
	err = json.NewEncoder(out).Encode(r.State())
	_, _ = io.Copy(io.Discard, in)
	return errors.Join(err, r.Close())
}

// process is a recipient in a process of its own that can be killed, and started again with the
// same store.
type process struct {
	cfg   processConfig
	cmd   *exec.Cmd
	stdin io.Closer
	state chain.DevnetRecipient
}

// inProcess starts a network's recipients as processes.
func inProcess(t *testing.T, started **process) devnet.StartRecipient {
	store := filepath.Join(t.TempDir(), "store.db")
	return func(_ context.Context, env devnet.RecipientEnv) (devnet.Recipient, error) {
		p := &process{cfg: processConfig{
			Key: crypto.FromECDSA(env.Key), RPCURL: env.RPCURL, WSURL: env.WSURL,
			ChainID: env.ChainID, Controller: env.Controller, StorePath: store,
		}}
		*started = p
		return p, p.start()
	}
}

func (p *process) start() error {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"=serve")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd, p.stdin = cmd, stdin
	err = json.NewEncoder(stdin).Encode(p.cfg)
	return errors.Join(err, json.NewDecoder(stdout).Decode(&p.state))
}

// kill ends the process without a shutdown.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.cmd.Wait() // it was killed
	p.cmd = nil
	return nil
}

func (p *process) State() chain.DevnetRecipient { return p.state }

// Close shuts the process down.
func (p *process) Close() error {
	if p.cmd == nil {
		return nil
	}
	return errors.Join(p.stdin.Close(), p.cmd.Wait())
}
