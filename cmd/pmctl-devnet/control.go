package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// remote is a running network that this process only talks to.
type remote struct {
	streams
	statePath func() (string, error)
}

// commands act on a network that another process serves.
func (r remote) commands() []*cobra.Command {
	return []*cobra.Command{r.mine(), r.round(), r.faucet(), r.recipient()}
}

func (r remote) state() (*chain.DevnetState, error) {
	path, err := r.statePath()
	if err != nil {
		return nil, err
	}
	return chain.ReadDevnetState(path)
}

func (r remote) mine() *cobra.Command {
	return &cobra.Command{
		Use:   "mine [BLOCKS]",
		Short: "Mine blocks on the running network",
		Args:  maximumArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.advance(cmd.Context(), "/mine", "blocks", args)
		},
	}
}

func (r remote) round() *cobra.Command {
	return &cobra.Command{
		Use:   "round [COUNT]",
		Short: "Let rounds pass on the running network",
		Args:  maximumArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.advance(cmd.Context(), "/round", "count", args)
		},
	}
}

// advance asks the control API for more blocks or rounds.
func (r remote) advance(ctx context.Context, path, parameter string, args []string) error {
	count := "1"
	if len(args) == 1 {
		count = args[0]
	}
	if n, err := strconv.ParseUint(count, 10, 64); err != nil || n == 0 {
		return usageError{fmt.Errorf("%q is not a number of at least 1", count)}
	}
	state, err := r.state()
	if err != nil {
		return err
	}
	var status devnet.Status
	if err := request(ctx, http.MethodPost, state.ControlURL+path+"?"+parameter+"="+count, &status); err != nil {
		return err
	}
	fmt.Fprintf(r.out, "round %d, L1 block %d\n", status.Round, status.L1Block)
	return nil
}

func (r remote) faucet() *cobra.Command {
	return &cobra.Command{
		Use:     "faucet ADDRESS AMOUNT",
		Short:   "Give an account ether on the running network",
		Example: `  pmctl-devnet faucet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed 10eth`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError{fmt.Errorf("faucet takes an address and an amount")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !common.IsHexAddress(args[0]) {
				return usageError{fmt.Errorf("%q is not an address", args[0])}
			}
			amount, err := wei.Parse(args[1])
			if err != nil {
				return usageError{err}
			}
			return r.give(cmd.Context(), common.HexToAddress(args[0]), amount)
		},
	}
}

// give sends ether from the network's first account.
func (r remote) give(ctx context.Context, to common.Address, amount wei.Wei) error {
	state, err := r.state()
	if err != nil {
		return err
	}
	if len(state.Accounts) == 0 {
		return fmt.Errorf("the network has no funded account to give from: start it with --accounts 1")
	}
	key, err := signer.RawKey([]byte(state.Accounts[0].PrivateKey))
	if err != nil {
		return err
	}
	defer key.Close()
	client, err := chain.Dial(ctx, state.RPCURL, state.Network())
	if err != nil {
		return err
	}
	defer client.Close()
	sender := devnet.NewSender(client, key)
	sent, err := sender.Send(ctx, to, amount, nil)
	if err != nil {
		return err
	}
	if _, err := sender.Wait(ctx, sent.Hash()); err != nil {
		return err
	}
	fmt.Fprintf(r.out, "gave %s to %s\n", amount, to)
	return nil
}

func (r remote) recipient() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "recipient",
		Short: "Show what the running network's first recipient accepted and refused",
		Args:  maximumArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := r.state()
			if err != nil {
				return err
			}
			if len(state.Recipients) == 0 {
				return fmt.Errorf("the network has no recipient: start it with --recipients 1")
			}
			url := state.Recipients[0].StatusURL
			if asJSON {
				var raw json.RawMessage
				if err := request(cmd.Context(), http.MethodGet, url, &raw); err != nil {
					return err
				}
				_, err := fmt.Fprintf(r.out, "%s\n", raw)
				return err
			}
			var status recipient.Status
			if err := request(cmd.Context(), http.MethodGet, url, &status); err != nil {
				return err
			}
			writeRecipient(r.out, status)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the recipient's own JSON")
	return cmd
}

// writeRecipient prints the part of a recipient's status that people want.
func writeRecipient(w io.Writer, s recipient.Status) {
	t := s.Tickets
	fmt.Fprintf(w, "accepted  %d of %d tickets, %d credited\n", t.Accepted, t.Received, t.Credited)
	for _, reason := range slices.Sorted(maps.Keys(t.Refused)) {
		fmt.Fprintf(w, "refused   %d: %s\n", t.Refused[reason], reason)
	}
	fmt.Fprintf(w, "won       %d: %d waiting, %d redeemed, %d settled unpaid\n", t.Won, t.Queued, t.Redeemed, t.Settled)
	for _, winner := range s.Winners {
		if winner.Tx != nil {
			fmt.Fprintf(w, "redeemed  nonce %d in %s\n", winner.SenderNonce, winner.Tx)
		}
	}
}

// request asks the network's own HTTP servers.
func request(ctx context.Context, method, target string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the local network does not answer: %w", err.(*url.Error).Err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10)) // a part of the text will do
		return fmt.Errorf("the local network answers %s: %s", res.Status, body)
	}
	return json.NewDecoder(res.Body).Decode(into)
}

func maximumArgs(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usageError{fmt.Errorf("unexpected argument %q", args[n])}
		}
		return nil
	}
}
