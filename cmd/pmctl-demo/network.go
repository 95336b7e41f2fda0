package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os/exec"
	"time"
)

// network is the local network, in a process of its own.
type network struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

// startNetwork starts pmctl-devnet and waits until it is ready. The network ends with this
// process in any case, since its stdin ends then.
func (s *stage) startNetwork(ctx context.Context) (*network, error) {
	const line = "pmctl-devnet --unlock-period 2"
	fmt.Fprintf(s.out, "$ %s &\n", line)
	cmd := s.command(ctx, "pmctl-devnet", "--unlock-period", "2", "-o", "json", "--until-stdin-closes")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = s.out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	n := &network{cmd, stdin}
	var state struct{ Recipients []struct{ URL string } }
	if err := json.NewDecoder(stdout).Decode(&state); err != nil {
		return nil, errors.Join(fmt.Errorf("the local network did not start: %w", err), n.stop())
	}
	if len(state.Recipients) == 0 {
		return nil, errors.Join(errors.New("the local network has no recipient"), n.stop())
	}
	s.url = state.Recipients[0].URL
	return n, nil
}

// stop ends the network and waits until it has ended.
func (n *network) stop() error {
	n.stdin.Close()
	err := n.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("the local network ended with %w", err)
	}
	return nil
}

// recipientStatus is the part of the recipient's own count that the demo checks.
type recipientStatus struct {
	Tickets struct {
		Accepted    uint64 `json:"accepted"`
		Won         uint64 `json:"won"`
		Queued      uint64 `json:"queued"`
		Redeemed    uint64 `json:"redeemed"`
		RedeemedWei string `json:"redeemed_wei"`
	} `json:"tickets"`
	Sessions []struct {
		App   string `json:"app"`
		State string `json:"state"`
		Cost  string `json:"cost"` // in wei
	} `json:"sessions"`
}

func (s *stage) recipient(ctx context.Context) (recipientStatus, error) {
	var status recipientStatus
	out, err := s.command(ctx, "pmctl-devnet", "recipient", "-o", "json").Output()
	if err != nil {
		return status, fmt.Errorf("ask the recipient: %w", err)
	}
	return status, json.Unmarshal(out, &status)
}

// redemption waits until the recipient has redeemed all winners.
func (s *stage) redemption(ctx context.Context) (recipientStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		status, err := s.recipient(ctx)
		if err != nil {
			return status, err
		}
		if status.Tickets.Redeemed > 0 && status.Tickets.Queued == 0 {
			tick.Stop()
			return status, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return status, errors.New("the winners were not redeemed")
		}
	}
}

// funds are an account's, in wei.
type funds struct{ balance, deposit, reserve *big.Int }

// funds reads the account's from the chain.
func (s *stage) funds(ctx context.Context) (funds, error) {
	var status struct{ Balance, Deposit, Reserve string }
	if err := s.ask(ctx, &status, "pmctl", "status", "-o", "json"); err != nil {
		return funds{}, err
	}
	var f funds
	for _, amount := range []struct {
		into **big.Int
		text string
	}{{&f.balance, status.Balance}, {&f.deposit, status.Deposit}, {&f.reserve, status.Reserve}} {
		v, ok := new(big.Int).SetString(amount.text, 10)
		if !ok {
			return funds{}, fmt.Errorf("%q is not a number of wei", amount.text)
		}
		*amount.into = v
	}
	return f, nil
}
