package cli

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/signer"
)

// EnvAgent names the variable with the agent's socket, or AgentOff.
const EnvAgent = "PMCTL_AGENT"

// AgentOff is what the variable says when no agent is to be used.
const AgentOff = "off"

// AgentSocket is where the agent is, and whether the user has said so. The path is ""
// when none is to be used.
func (e *Env) AgentSocket() (path string, said bool, err error) {
	switch path = e.Getenv(EnvAgent); {
	case path == AgentOff:
		return "", true, nil
	case path != "":
		return path, true, nil
	}
	if runtime := e.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(runtime) {
		return filepath.Join(runtime, "pmctl", "agent.sock"), false, nil
	}
	dir, err := e.stateDir()
	return filepath.Join(dir, "agent", "agent.sock"), false, err
}

// AgentClient returns a client for the agent at a socket, whose requests OnRequest sees.
func (e *Env) AgentClient(path string) *agent.Client {
	client := agent.NewClient(path)
	client.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return wallet.Observe(next, wallet.ToAgent, path, e.OnRequest)
	})
	return client
}

// Agent finds the account in the agent: nil when there is none to use. An agent that the
// user has named must serve; one that is just there is passed over when it does not have
// the account, or not for this chain, or is locked.
func (o *KeyOptions) Agent(ctx context.Context, env *Env, want *common.Address, chainID uint64) (*signer.Account, error) {
	if chainID == 0 || o.FD.Given || o.Keystore.Path != "" || o.Passphrase.Given() {
		return nil, nil
	}
	path, said, err := env.AgentSocket()
	if err != nil || path == "" {
		return nil, nil // without a home folder there is no agent in it
	}
	if _, err := os.Lstat(path); !said && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	client := env.AgentClient(path)
	status, err := client.Status(ctx)
	if err == nil {
		err = serves(status, want, chainID)
	}
	switch {
	case err == nil:
		return signer.Opened(agent.NewSigner(client, status), ""), nil
	case said:
		client.Close()
		return nil, WithHint(err, "start one with pmctl agent start, or go without: %s=%s", EnvAgent, AgentOff)
	case errors.Is(err, agent.ErrNoAgent), errors.Is(err, agent.ErrLocked), errors.Is(err, agent.ErrMismatch):
		client.Close()
		o.Passphrase.passedOver = err
		return nil, nil
	}
	client.Close()
	return nil, WithHint(err, "go without an agent: %s=%s", EnvAgent, AgentOff)
}

// serves reports whether an agent signs for an account, nil for any, on a chain.
func serves(status *agent.Status, want *common.Address, chainID uint64) error {
	switch served := common.Address(status.Account); {
	case want != nil && *want != served:
		return agent.Mismatch("account", *want, served)
	case chainID != uint64(status.ChainID):
		return agent.Mismatch("chain ID", chainID, status.ChainID)
	case status.Locked:
		return agent.LockedError(status.LockedBy)
	}
	return nil
}

// tellPatience is how long the report of a transaction to an agent may take.
const tellPatience = 2 * time.Second

// tellAgent reports a mined transaction to an agent that may have its account,
// also where another key signed it: what the agent remembers of the account's funds is outdated. It does not
// matter whether that works, since an agent asks the chain before it refuses.
func (e *Env) tellAgent(ctx context.Context, chainID uint64, account common.Address, transaction common.Hash) {
	path, _, err := e.AgentSocket()
	if err != nil || path == "" {
		return
	}
	if _, err := os.Lstat(path); err != nil {
		return
	}
	client := e.AgentClient(path)
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, tellPatience)
	defer cancel()
	_ = client.Mined(ctx, chainID, account, transaction)
}
